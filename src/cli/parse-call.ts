import { findNearest } from '../formats/nearest.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import type { Operand } from './commands/command.ts'
import { callOptions, commonOptionsBeside } from './commands/options.ts'
import { type CommandName, commands, findCommand, formatUsage, isCommandName } from './commands.ts'
import { listWords, parseOptions, splitCall } from './parse-options.ts'

export type ParsedCall = Omit<Call, 'host' | 'output' | 'hub' | 'recordEvent' | 'signal' | 'ignored' | 'shard'> & {
  readonly name: CommandName
  readonly help: boolean
}

/** The words of a call. Fails with USAGE, before anything is touched. */
export function parseCall(words: readonly string[]): ParsedCall {
  const end = words.indexOf('--')
  const hasSeparator = end !== -1
  const { before, command, after } = splitCall(hasSeparator ? words.slice(0, end) : words, callOptions)
  const { values: first } = parseOptions(before, callOptions, undefined)
  // As with git and docker, the version is all that such a call prints: no command is carried out.
  if (first.version === true && command !== undefined) return parseCall(before)
  const name = command ?? impliedCommand(words, first)
  if (!isCommandName(name)) throw noSuchCommand(name)
  const { options: own } = findCommand(name)
  const { values: second, operands } = parseOptions(after, { ...own, ...commonOptionsBeside(own) }, name)
  const { file, session, engine, json, quiet, verbose, color, help, version, ...options } = { ...first, ...second }
  const call: ParsedCall = {
    name,
    file: asText(file),
    session: asText(session),
    engine: asText(engine),
    json: json === true,
    quiet: quiet === true,
    verbose: verbose === true,
    color: typeof color === 'boolean' ? color : undefined,
    help: help === true && command !== undefined,
    events: asText(options.events),
    options,
    servers: operands,
    command: hasSeparator ? words.slice(end + 1) : [],
  }
  if (!call.help) checkOperands(call, hasSeparator)
  return call
}

/** The command of a call that names none. */
function impliedCommand(words: readonly string[], { version, help }: Readonly<Record<string, unknown>>): CommandName {
  if (version === true) return 'version'
  if (help === true || words.length === 0) return 'help'
  throw new TestfleetError('USAGE', 'the command is missing', {
    hint: 'Usage: testfleet [OPTION…] COMMAND [OPTION…]; see `testfleet help`.',
  })
}

export function noSuchCommand(name: string): TestfleetError {
  const nearest = findNearest(name, Object.keys(commands))
  return new TestfleetError('USAGE', `there is no command ${JSON.stringify(name)}`, {
    hint: nearest === undefined ? 'See `testfleet help`.' : `Did you mean \`testfleet ${nearest}\`?`,
  })
}

function checkOperands({ name, servers: given, command }: ParsedCall, hasSeparator: boolean): void {
  const spec = findCommand(name)
  const refuse = (why: string, hint = `Usage: testfleet ${formatUsage(name)}`): TestfleetError =>
    new TestfleetError('USAGE', why, { hint })
  if (spec.command === 'required' && command.length === 0) throw refuse('the command after `--` is missing')
  if (spec.command === undefined && hasSeparator) throw refuse(`testfleet ${name} takes nothing after \`--\``)
  const missing = spec.operands.filter(isRequired)[given.length]
  if (missing !== undefined) throw refuse(`the ${wordOperand(missing)} is missing`, missing.missing)
  const surplus = given[spec.operands.length]
  const [operand] = spec.operands
  for (const [index, word] of given.entries()) checkWord(word, spec.operands[index])
  if (surplus === undefined || spec.operands.some(isRepeated)) return
  if (spec.operands.length === 1 && operand !== undefined) throw refuse(`one ${wordOperand(operand)} at a time`)
  throw refuse(`testfleet ${name} does not take ${JSON.stringify(surplus)}`)
}

function checkWord(word: string, operand: Operand | undefined): void {
  if (operand === undefined || typeof operand.completes !== 'object' || operand.completes.includes(word)) return
  const nearest = findNearest(word, operand.completes)
  throw new TestfleetError(
    'USAGE',
    `the ${wordOperand(operand)} is ${listWords(operand.completes)}, not ${JSON.stringify(word)}`,
    {
      hint: nearest === undefined ? undefined : `Did you mean ${nearest}?`,
    },
  )
}

const isRequired = ({ count }: Operand): boolean => count === 'one' || count === 'some'
const isRepeated = ({ count }: Operand): boolean => count === 'any' || count === 'some'

/** As a sentence names it: SERVER is the server. */
const wordOperand = ({ name, word }: Operand): string => word ?? name.toLowerCase()

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
