import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { findNearest } from '../config/nearest.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import { type Command, type CommandName, commands, commonOptions } from './commands.ts'

export type ParsedCall = Omit<Call, 'host' | 'output' | 'signal'> & {
  readonly name: CommandName
  readonly help: boolean
}

/** The words of a call. Fails with USAGE, before anything is touched. */
export function parseCall(name: string, words: readonly string[]): ParsedCall {
  if (!isCommandName(name)) {
    if (name.startsWith('-')) {
      throw new TestfleetError('USAGE', `the command is missing in front of ${name}`, {
        hint: 'Usage: testfleet COMMAND [OPTION…]; see `testfleet help`.',
      })
    }
    const nearest = findNearest(name, Object.keys(commands))
    throw new TestfleetError('USAGE', `there is no command ${JSON.stringify(name)}`, {
      hint: nearest === undefined ? 'See `testfleet help`.' : `Did you mean \`testfleet ${nearest}\`?`,
    })
  }
  const command: Command = commands[name]
  const end = words.indexOf('--')
  const { values, positionals } = parseOptions(name, command, end === -1 ? words : words.slice(0, end))
  const { file, session, engine, json, quiet, verbose, color, help, ...options } = values
  const call: ParsedCall = {
    name,
    file: asText(file),
    session: asText(session),
    engine: asText(engine),
    json: json === true,
    quiet: quiet === true,
    verbose: verbose === true,
    color: typeof color === 'boolean' ? color : undefined,
    help: help === true,
    options,
    servers: positionals,
    command: end === -1 ? [] : words.slice(end + 1),
  }
  if (!call.help) checkOperands(call, command, end !== -1)
  return call
}

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

function parseOptions(name: string, command: Command, words: readonly string[]) {
  const options: ParseArgsOptionsConfig = { ...commonOptions, ...command.options }
  // `logs -f` follows, as with every other tool that shows logs.
  if (name === 'logs') Object.assign(options, { file: { type: 'string' }, follow: { type: 'boolean', short: 'f' } })
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, allowNegative: true })
  } catch (error) {
    const unknown = /Unknown option '(-[^']*)'/.exec((error as Error).message)?.[1]
    if (unknown === undefined) {
      throw new TestfleetError('USAGE', (error as Error).message, {
        hint: `See \`testfleet ${name} --help\`.`,
        cause: error,
      })
    }
    const nearest = findNearest(unknown.replace(/^-+/, ''), Object.keys(options))
    throw new TestfleetError('USAGE', `testfleet ${name} has no option ${unknown}`, {
      hint: nearest === undefined ? `See \`testfleet ${name} --help\`.` : `Did you mean --${nearest}?`,
    })
  }
}

const takesNames = new Set<Command['operands']>(['preset or none', 'server', 'servers', 'server and command'])

function checkOperands(call: ParsedCall, command: Command, hasSeparator: boolean): void {
  const usage = { hint: `Usage: testfleet ${command.usage}` }
  const count = call.servers.length
  const takesCommand = command.operands === 'command' || command.operands === 'server and command'
  if (takesCommand && call.command.length === 0) {
    throw new TestfleetError('USAGE', 'the command to run is missing; it stands behind `--`', usage)
  }
  if (!takesCommand && command.operands !== 'command or none' && hasSeparator)
    throw new TestfleetError('USAGE', `testfleet ${call.name} takes nothing behind \`--\``, usage)
  if ((command.operands === 'server and command' || command.operands === 'server') && count !== 1) {
    throw new TestfleetError('USAGE', count === 0 ? 'the server is missing' : 'one server at a time', usage)
  }
  if (command.operands === 'preset or none' && count > 1)
    throw new TestfleetError('USAGE', 'one preset at a time', usage)
  if (!takesNames.has(command.operands) && count > 0) {
    throw new TestfleetError('USAGE', `testfleet ${call.name} does not take ${JSON.stringify(call.servers[0])}`, usage)
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
