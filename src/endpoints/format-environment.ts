import { randomBytes } from 'node:crypto'
import { VARIABLE } from '../formats/grammar.ts'
import { TestfleetError } from '../model/failures.ts'
import { say } from '../model/surface.ts'

export const environmentFormats = ['env', 'dotenv', 'json', 'shell', 'github'] as const
export type EnvironmentFormat = (typeof environmentFormats)[number]

/** Returns the text for a variable; undefined when the format cannot express its value. */
type FormatVariable = (name: string, value: string) => string | undefined

/** A reader of each format gets back exactly these values, and no other variables. */
const formats: Readonly<Record<Exclude<EnvironmentFormat, 'json'>, FormatVariable>> = {
  /** Same format as env(1) prints. */
  env: (name, value) => (/[\r\n]/.test(value) ? undefined : `${name}=${value}`),
  dotenv(name, value) {
    const quoted = quoteDotenv(value)
    return quoted === undefined ? undefined : `${name}=${quoted}`
  },
  /** Format for `eval` in a POSIX shell. */
  shell: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  /** Format for the file that GITHUB_ENV names. */
  github(name, value) {
    const delimiter = drawDelimiter(value)
    return `${name}<<${delimiter}\n${value}\n${delimiter}`
  },
}

/** Formats the variables. Fails with USAGE when the format cannot express a value. */
export function formatEnvironment(variables: Readonly<Record<string, string>>, format: EnvironmentFormat): string {
  // Of callers that no type checker has told.
  if (format !== 'json' && !Object.hasOwn(formats, format))
    throw new TestfleetError(
      'USAGE',
      `there is no format ${JSON.stringify(format)}; there are ${['json', ...Object.keys(formats)].join(', ')}`,
    )
  if (format === 'json') return `${JSON.stringify(variables, null, 2)}\n`
  const lines: string[] = []
  const refused: string[] = []
  for (const [name, value] of Object.entries(variables)) {
    // Names are printed unquoted.
    if (!VARIABLE.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a variable`)
    const text = formats[format](name, value)
    if (text === undefined) refused.push(name)
    else lines.push(`${text}\n`)
  }
  if (refused.length === 0) return lines.join('')
  throw new TestfleetError('USAGE', `${say('format', format)} cannot hold the value of ${refused.join(', ')}`, {
    hint: `Use ${say('format', 'json')}, \`shell\` or \`github\`, which can hold any value.`,
  })
}

/**
 * Quotes a value so that `node --env-file`, bash, the npm package dotenv and Docker Compose all read it back. Undefined
 * when they disagree: only bash reads `'\''`; dotenv and Compose keep a backslash before the closing quote; dotenv
 * drops carriage returns.
 */
function quoteDotenv(value: string): string | undefined {
  if (/^[\w.:/@-]*$/.test(value)) return value
  if (/\r|\\$/.test(value)) return undefined
  if (!value.includes("'")) return `'${value}'`
  return /["$`\\]/.test(value) ? undefined : `"${value}"`
}

/** Returns a random delimiter, so that no line of the value can end the block. */
function drawDelimiter(value: string): string {
  for (;;) {
    const delimiter = `testfleet_${randomBytes(16).toString('hex')}`
    if (!value.includes(delimiter)) return delimiter
  }
}
