/** Entry point of this room: a command that knows the servers of a session by their names. */
export { type NameWay, nameWays } from './choose-naming.ts'
export { listHandedDescriptors } from './descriptors.ts'
export { giveNames } from './give-names.ts'
export { type CommandGuard, startCommandGuard } from './guard-command.ts'
export { toHostsEntries } from './hosts-file.ts'
export { ignoringSignals } from './ignored-signals.ts'
export { checkInterpreter, findProgram, type Program, type ProgramStreams, runProgram } from './run-program.ts'
