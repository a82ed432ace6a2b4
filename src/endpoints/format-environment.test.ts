import { type SpawnSyncOptionsWithStringEncoding, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { propertyRuns } from '../../tests/support/property-runs.ts'
import { speakAs } from '../model/surface.ts'
import { type EnvironmentFormat, formatEnvironment } from './format-environment.ts'

// Messages are quoted as the command words them.
speakAs('command')

const folder = mkdtempSync(join(tmpdir(), 'formats-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Variables = Readonly<Record<string, string>>

const hostileParts = [
  ...['\n', '\r', '\r\n', '\t', ' ', '\u0001', '\u001b[0m', '\u007f', '\u0081', '\u0085', '\u2028', '\ufeff'],
  ...["'", '"', '`', '\\', "\\'", '\\"', '\\n', '\\\\', '$', '$HOME', '${HOME}', '$(touch x)', '`touch x`', '!!', '#'],
  ...[' # x', '=', '<<EOF', '<<', 'EOF', ';', '&', '|', '~', ':~', '%0A', '\nPATH=/evil', '\nNODE_OPTIONS=--x', 'ä'],
  ...["\nexport A='b'", '\n}', '{{x}}', '\u{1f600}', '-----BEGIN X-----\nabc=\n-----END X-----\n'],
]
const value = fc
  .array(fc.oneof(fc.constantFrom(...hostileParts), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 6 })
  .map((parts) => parts.join('').replaceAll('\0', ''))
const variables = fc
  .array(value, { minLength: 1, maxLength: 12 })
  .map((values) => Object.fromEntries(values.map((text, index) => [`V${index}`, text])))

/** Formats the variables that the format can express, and checks that the error names each other one. */
function write(all: Variables, format: EnvironmentFormat): { readonly text: string; readonly held: Variables } {
  const entries = Object.entries(all).filter(([name, text]) => {
    try {
      formatEnvironment({ [name]: text }, format)
      return true
    } catch (error) {
      expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining(name) })
      return false
    }
  })
  const held = Object.fromEntries(entries)
  return { text: formatEnvironment(held, format), held }
}

/** Returns the variables that a shell has set after reading the text. */
function readByShell(shell: string, script: string): Variables {
  // bash reads its user's settings when its input is a socket, as Node's pipes are.
  const options = {
    cwd: folder,
    env: {},
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  } satisfies SpawnSyncOptionsWithStringEncoding
  const { status, stdout, stderr } = spawnSync(shell, ['-c', `${script}\nexec env -0`], options)
  expect([status, stderr]).toEqual([0, ''])
  const { PWD, OLDPWD, SHLVL, _, ...set } = Object.fromEntries(stdout.split('\0').flatMap(splitLine))
  return set
}

function save(text: string): string {
  const path = join(folder, 'file')
  writeFileSync(path, text)
  return path
}

/** The rules of the npm package dotenv, version 17. */
function readByDotenv(text: string): Variables {
  const LINE =
    /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/gm
  const read: Record<string, string> = {}
  for (const [, name = '', found = ''] of text.replaceAll(/\r\n?/g, '\n').matchAll(LINE)) {
    const trimmed = found.trim()
    const inner = trimmed.replace(/^(['"`])([\s\S]*)\1$/gm, '$2')
    read[name] = trimmed.startsWith('"') ? inner.replaceAll('\\n', '\n').replaceAll('\\r', '\r') : inner
  }
  return read
}

/** The rules of Docker Compose's reader (compose-go 2, dotenv/parser.go), for what has no `$` outside single quotes. */
function readByCompose(text: string): Variables {
  const read: Record<string, string> = {}
  let rest = text.replaceAll('\r\n', '\n')
  for (;;) {
    rest = rest.replace(/^\s+/, '')
    if (rest === '') return read
    const [line = '', name = ''] = /^([A-Za-z_]\w*)=/.exec(rest) ?? []
    expect(name).not.toBe('')
    rest = rest.slice(line.length)
    const quote = /^['"]/.exec(rest)?.[0]
    const end = quote === undefined ? rest.search(/\n|$/) : findQuote(rest, quote)
    read[name] = quote === undefined ? rest.slice(0, end).replace(/\s#.*/, '').trim() : rest.slice(1, end)
    if (quote === '"') expect(read[name]).not.toMatch(/[$\\]/)
    rest = rest.slice(end + 1)
  }
}

/** Returns the position of the closing quote. A backslash escapes the next character, which may be the quote. */
function findQuote(text: string, quote: string): number {
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === quote) return at
  }
  throw new Error('the closing quote is missing')
}

/** The rules of GitHub's runner for the file that GITHUB_ENV names (FileCommandManager.cs), not on Windows. */
function readByGithub(text: string): Variables {
  const read: Record<string, string> = {}
  const lines = text.split('\n')
  expect(lines.pop()).toBe('')
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '') continue
    const [equals, block] = [line.indexOf('='), line.indexOf('<<')]
    if (equals >= 0 && (block < 0 || equals < block)) {
      read[line.slice(0, equals)] = line.slice(equals + 1)
      continue
    }
    expect(block).toBeGreaterThan(0)
    const end = lines.indexOf(line.slice(block + 2))
    expect(end).toBeGreaterThanOrEqual(0)
    read[line.slice(0, block)] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join('\n')
  }
  return read
}

const readers: readonly [who: string, format: EnvironmentFormat, read: (text: string) => Variables, runs?: number][] = [
  ['a program that reads JSON', 'json', (text) => JSON.parse(text)],
  ['a program that reads lines', 'env', (text) => Object.fromEntries(text.split('\n').flatMap(splitLine))],
  ["GitHub's runner, from lines", 'env', readByGithub],
  ["GitHub's runner, from blocks", 'github', readByGithub],
  ['sh, by eval', 'shell', (text) => readByShell('sh', `eval "$(cat '${save(text)}')"`), 30],
  ['bash, by eval', 'shell', (text) => readByShell('bash', `eval "$(cat '${save(text)}')"`), 30],
  ['bash, from a .env file', 'dotenv', (text) => readByShell('bash', `set -a; . '${save(text)}'`), 30],
  ['node --env-file', 'dotenv', (text) => ({ ...parseEnv(text) }) as Variables],
  ['the npm package dotenv', 'dotenv', readByDotenv],
  ['Docker Compose', 'dotenv', readByCompose],
]

function splitLine(line: string): [string, string][] {
  const at = line.indexOf('=')
  return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
}

describe.each(readers)('%s, reading %s', (_, format, read, runs = 300) => {
  test('gets exactly the given variables, whatever their values', () => {
    const numRuns = propertyRuns(runs)
    fc.assert(
      fc.property(variables, (all) => {
        const { text, held } = write(all, format)
        expect(read(text)).toEqual(held)
      }),
      { numRuns },
    )
  })

  test.each([
    ['a password', `pa$w0rd #x q \\n z`],
    ['a key', '-----BEGIN PRIVATE KEY-----\nMIIB==\n-----END PRIVATE KEY-----'],
    ['a command', 'a$(touch F)`touch F`'],
    ['an apostrophe', "it's"],
    ['nothing', ''],
    ['more variables', 'abc\nNODE_OPTIONS=--require=/evil.cjs\nPATH=/evil'],
  ])('gets %s back, or an error names the variable', (_what, text) => {
    const { text: written, held } = write({ SECRET: text, NEXT: 'b' }, format)
    expect(read(written)).toEqual(held)
    expect(Object.keys(held)).toEqual(format === 'env' && text.includes('\n') ? ['NEXT'] : ['SECRET', 'NEXT'])
  })
})

describe('a value that a format cannot express', () => {
  test.each<[EnvironmentFormat, string]>([
    ['env', 'a\nb'],
    ['env', 'a\rb'],
    ['dotenv', `pa$w0rd #x "q" \\n'z`],
    ['dotenv', 'ends with \\'],
    ['dotenv', 'a\rb'],
  ])('is refused in %s with the name of its variable: %j', (format, text) => {
    const refused = () => formatEnvironment({ FINE: 'a', ODD: text }, format)
    expect(refused).toThrow(`\`--format ${format}\` cannot hold the value of ODD`)
    expect(refused).not.toThrow('FINE')
  })
})

test('the delimiter of a block cannot be guessed by the value inside', () => {
  const [one, other] = [1, 2].map(() => formatEnvironment({ A: 'b' }, 'github'))
  expect(one).toMatch(/^A<<(testfleet_[0-9a-f]{32})\nb\n\1\n$/)
  expect(one).not.toBe(other)
})

test('an invalid variable name is never printed', () => {
  for (const format of ['env', 'dotenv', 'shell', 'github'] as const)
    expect(() => formatEnvironment({ 'X;touch F;Y': '1' }, format)).toThrow('not the name of a variable')
})
