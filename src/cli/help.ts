import { type Command, commands, commonHelp } from './commands.ts'
import { isCommandName } from './parse-call.ts'

/** The help for one command, or for all. */
export function formatHelp(name: string | undefined): string {
  return name !== undefined && isCommandName(name) ? formatCommandHelp(commands[name]) : formatOverview()
}

function formatOverview(): string {
  const width = Math.max(
    ...Object.values(commands)
      .map(({ usage }) => usage.length)
      .filter((length) => length < 30),
  )
  const lines = Object.values(commands).map(({ usage, summary }) =>
    usage.length > width ? `  ${usage}\n  ${' '.repeat(width)}  ${summary}` : `  ${usage.padEnd(width)}  ${summary}`,
  )
  return [
    'testfleet: fleets of real test servers, in containers',
    '',
    'Usage: testfleet COMMAND [OPTION…]',
    '',
    ...lines,
    '',
    'Options of every command:',
    ...indent(commonHelp),
    '',
    'Exit codes: 0 done · 1 the work failed · 2 the call or the fleet file is wrong · 3 no engine · 4 not ready in time',
    '',
  ].join('\n')
}

function formatCommandHelp({ usage, summary, help }: Command): string {
  return [`testfleet ${usage}`, '', `  ${summary}`, '', 'Options:', ...indent(help), ...indent(commonHelp), ''].join(
    '\n',
  )
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
