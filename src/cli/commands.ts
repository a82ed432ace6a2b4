import type { Command } from './commands/command.ts'
import { fleetFileCommands } from './commands/fleet-file-commands.ts'
import { aboutCommands, cleanUpCommands } from './commands/other-commands.ts'
import { serverCommands } from './commands/server-commands.ts'
import { sessionCommands } from './commands/session-commands.ts'

/** Headings of `testfleet help`, in order, with their commands. */
export const groups = {
  'Write and check a fleet file': fleetFileCommands,
  'Bring a fleet up and down': sessionCommands,
  'Work with the servers of a session': serverCommands,
  'Clean up': cleanUpCommands,
  'About testfleet': aboutCommands,
}

/** Every command: the one table that parser, help, completion and manual page read. */
export const commands = {
  ...fleetFileCommands,
  ...sessionCommands,
  ...serverCommands,
  ...cleanUpCommands,
  ...aboutCommands,
}

export type CommandName = keyof typeof commands

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

export type FullCommand = Required<Omit<Command, 'command'>> & Pick<Command, 'command'>

export function findCommand(name: CommandName): FullCommand {
  const command: Command = commands[name]
  return { operands: [], options: {}, ...command }
}

const forms = {
  one: (name: string) => name,
  optional: (name: string) => `[${name}]`,
  any: (name: string) => `[${name}…]`,
  some: (name: string) => `${name}…`,
}

/** Operands of a call, without options, such as `exec SERVER -- CMD…`. */
export function formatUsage(name: CommandName, afterName: readonly string[] = []): string {
  const { operands, command } = findCommand(name)
  const words = operands.map((operand) => forms[operand.count](operand.name))
  const program = command === undefined ? [] : command === 'required' ? ['-- CMD…'] : ['[-- CMD…]']
  return [name, ...afterName, ...words, ...program].join(' ')
}
