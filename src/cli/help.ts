import type { OptionSpec, Options } from './commands/command.ts'
import { callOptions, commonOptionsBeside } from './commands/options.ts'
import { type CommandName, commands, findCommand, formatUsage, groups, isCommandName } from './commands.ts'
import { noSuchCommand } from './parse-call.ts'

/** Returns the help for one command, or for all. Fails with USAGE when the command does not exist. */
export function formatHelp(name: string | undefined): string {
  if (name === undefined) return formatOverview()
  if (!isCommandName(name)) throw noSuchCommand(name)
  return formatCommandHelp(name)
}

function formatOverview(): string {
  const names = Object.keys(commands) as CommandName[]
  const width = Math.max(...names.map((name) => formatUsage(name).length).filter((length) => length <= WIDEST))
  const sections = Object.entries(groups).map(([title, group]) => {
    const rows = (Object.keys(group) as CommandName[]).map((name) => [formatUsage(name), findCommand(name).summary])
    return `${title}:\n${formatColumns(rows, width)}`
  })
  return `testfleet: fleets of real test servers, in containers

Usage: testfleet [OPTION…] COMMAND [OPTION…]

${sections.join('\n')}
Options of every command, before or after it:
${formatOptions(callOptions)}
Exit codes:
${formatColumns(exitCodes)}
Run \`testfleet help COMMAND\` for the options of a command.
`
}

export const exitCodes: readonly (readonly string[])[] = [
  ['0', 'done'],
  ['1', 'the work failed'],
  ['2', 'the call or the fleet file is wrong'],
  ['3', 'no usable engine'],
  ['4', 'a server was not ready in time'],
]

function formatCommandHelp(name: CommandName): string {
  const { summary, options, examples } = findCommand(name)
  const own = Object.keys(options).length === 0 ? '' : `\nOptions:\n${formatOptions(options)}`
  return `Usage: testfleet ${formatUsage(name, ['[OPTION…]'])}

${summary.replace(/^./, (letter) => letter.toUpperCase())}.

Examples:
${Object.entries(examples)
  .map(([example, does]) => `  ${example}\n${wrap(does, 6)}`)
  .join('')}${own}
Options of every command:
${formatOptions(commonOptionsBeside(options))}`
}

function formatOptions(options: Options): string {
  const rows = Object.entries(options).map(([name, spec]) => [formatOption(name, spec), describeOption(spec)])
  return formatColumns(rows)
}

/** `-f, --file FILE` */
export function formatOption(name: string, { short, value, isNegated }: OptionSpec): string {
  const long = `--${isNegated ? 'no-' : ''}${name}${value === undefined ? '' : ` ${value}`}`
  return short === undefined ? `    ${long}` : `-${short}, ${long}`
}

/** The help with the accepted values and the default. */
export function describeOption({ help, completes, default: value }: OptionSpec): string {
  const words = Array.isArray(completes) ? [`one of ${completes.join(', ')}`] : []
  const notes = [...words, ...(value === undefined ? [] : [`default: ${value}`])]
  return notes.length === 0 ? help : `${help} (${notes.join('; ')})`
}

const WIDTH = 80
/** Width of the first column. */
const WIDEST = 22

/** Two columns. The second one begins on the next line if the first one is too long. */
function formatColumns(
  rows: readonly (readonly string[])[],
  width = Math.max(...rows.map(([first = '']) => first.length).filter((length) => length <= WIDEST)),
): string {
  const indent = width + 4
  return rows
    .map(([first = '', second = '']) => {
      const lines = wrap(second, indent)
      return first.length > width ? `  ${first}\n${lines}` : `  ${first.padEnd(width)}  ${lines.trimStart()}`
    })
    .join('')
}

function wrap(text: string, indent: number): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || indent + last.length + 1 + word.length > WIDTH) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.map((line) => `${' '.repeat(indent)}${line}\n`).join('')
}
