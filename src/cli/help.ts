import { type CommandName, commands, commonOptions, findCommand, isCommandName } from './commands.ts'

/** The help for one command, or for all. */
export function formatHelp(name: string | undefined): string {
  return name !== undefined && isCommandName(name) ? formatCommandHelp(name) : formatOverview()
}

function formatOverview(): string {
  const all = (Object.keys(commands) as CommandName[]).map(findCommand)
  const width = Math.max(...all.map(({ usage }) => usage.length).filter((length) => length < 30))
  const lines = all.map(({ usage, summary }) =>
    usage.length > width ? `  ${usage}\n  ${' '.repeat(width)}  ${summary}` : `  ${usage.padEnd(width)}  ${summary}`,
  )
  return `testfleet: fleets of real test servers, in containers

Usage: testfleet COMMAND [OPTION…]

${lines.join('\n')}

Options of every command:
${formatOptions(commonOptions)}
Exit codes: 0 done · 1 the work failed · 2 the call or the fleet file is wrong · 3 no engine · 4 not ready in time
`
}

function formatCommandHelp(name: CommandName): string {
  const { usage, summary, options } = findCommand(name)
  return `testfleet ${usage}\n\n  ${summary}\n\nOptions:\n${formatOptions({ ...options, ...commonOptions, ...options })}`
}

function formatOptions(options: Readonly<Record<string, { readonly help: string }>>): string {
  return Object.values(options)
    .map(({ help }) => `  ${help}\n`)
    .join('')
}
