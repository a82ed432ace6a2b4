import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { findNearest } from '../config/document.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import { type CommandName, commands, commonOptions, findCommand, isCommandName } from './commands.ts'

export type ParsedCall = Omit<Call, 'host' | 'output' | 'signal' | 'ignored'> & {
  readonly name: CommandName
  readonly help: boolean
}

/** The words of a call. Fails with USAGE, before anything is touched. */
export function parseCall(name: string, words: readonly string[]): ParsedCall {
  if (!isCommandName(name)) throw noSuchCommand(name)
  const end = words.indexOf('--')
  const { values, positionals } = parseOptions(name, end === -1 ? words : words.slice(0, end))
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
  if (!call.help) checkOperands(call, end !== -1)
  return call
}

function noSuchCommand(name: string): TestfleetError {
  if (name.startsWith('-')) {
    return new TestfleetError('USAGE', `the command is missing in front of ${name}`, {
      hint: 'Usage: testfleet COMMAND [OPTION…]; see `testfleet help`.',
    })
  }
  const nearest = findNearest(name, Object.keys(commands))
  return new TestfleetError('USAGE', `there is no command ${JSON.stringify(name)}`, {
    hint: nearest === undefined ? 'See `testfleet help`.' : `Did you mean \`testfleet ${nearest}\`?`,
  })
}

function parseOptions(name: CommandName, words: readonly string[]) {
  const options: ParseArgsOptionsConfig = { ...commonOptions, ...findCommand(name).options }
  // `logs -f` follows, as with every other tool that shows logs.
  if (name === 'logs') Object.assign(options, { file: { type: 'string' }, follow: { type: 'boolean', short: 'f' } })
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, allowNegative: true })
  } catch (error) {
    const { message } = error as Error
    const seeHelp = `See \`testfleet ${name} --help\`.`
    const unknown = /Unknown option '(-[^']*)'/.exec(message)?.[1]
    if (unknown === undefined) throw new TestfleetError('USAGE', message, { hint: seeHelp, cause: error })
    const nearest = findNearest(unknown.replace(/^-+/, ''), Object.keys(options))
    throw new TestfleetError('USAGE', `testfleet ${name} has no option ${unknown}`, {
      hint: nearest === undefined ? seeHelp : `Did you mean --${nearest}?`,
    })
  }
}

function checkOperands({ name, servers, command }: ParsedCall, hasSeparator: boolean): void {
  const { usage, operands } = findCommand(name)
  const refuse = (why: string): TestfleetError =>
    new TestfleetError('USAGE', why, { hint: `Usage: testfleet ${usage}` })
  const takesCommand = operands === 'command' || operands === 'server and command'
  if (takesCommand && command.length === 0) throw refuse('the command after `--` is missing')
  if (!takesCommand && operands !== 'command or none' && hasSeparator)
    throw refuse(`testfleet ${name} takes nothing after \`--\``)
  const [first] = servers
  switch (operands) {
    case 'server':
    case 'server and command':
      if (servers.length !== 1) throw refuse(first === undefined ? 'the server is missing' : 'one server at a time')
      return
    case 'preset or none':
      if (servers.length > 1) throw refuse('one preset at a time')
      return
    case 'none':
    case 'command':
    case 'command or none':
      if (first !== undefined) throw refuse(`testfleet ${name} does not take ${JSON.stringify(first)}`)
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
