import type { Candidate, GivenOptions, Lookups } from '../../api/calls/lookups.ts'
import type { Completion, OptionSpec, Options } from '../commands/command.ts'
import { callOptions, commonOptionsBeside } from '../commands/options.ts'
import { type CommandName, commands, findCommand, isCommandName } from '../commands.ts'
import { findOption, splitCall, tokenize } from '../parse-options.ts'

/** Candidates, or what the shell completes itself: a path, or the command after `--`. */
export type Completed =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'file' | 'directory' | 'program' }

const nothing: Completed = { kind: 'words', candidates: [] }

/** Completes the last of the words that follow `testfleet`; it is empty where a new word begins. */
export async function complete(words: readonly string[], lookups: Lookups): Promise<Completed> {
  const current = words.at(-1) ?? ''
  const call = readCall(words.slice(0, -1))
  if (call === undefined) return nothing
  if (call.isProgram) return call.command !== undefined && runsHere(call.command) ? { kind: 'program' } : nothing
  const offer = await find(call, current, lookups)
  if (!Array.isArray(offer)) return { kind: offer }
  return { kind: 'words', candidates: offer.filter(({ word }) => word.startsWith(current)) }
}

interface CallSoFar {
  readonly command: CommandName | undefined
  readonly options: Options
  readonly given: GivenOptions
  readonly operands: readonly string[]
  /** The option whose value comes next. */
  readonly open: OptionSpec | undefined
  /** Whether `--` has been given. */
  readonly isProgram: boolean
}

/** Undefined if its command does not exist. */
function readCall(words: readonly string[]): CallSoFar | undefined {
  const end = words.indexOf('--')
  const ours = end === -1 ? words : words.slice(0, end)
  const { before, command, after } = splitCall(ours, callOptions)
  if (command !== undefined && !isCommandName(command)) return undefined
  const own = command === undefined ? {} : findCommand(command).options
  const options = command === undefined ? callOptions : { ...own, ...commonOptionsBeside(own) }
  const tokens = [...tokenize(before, callOptions), ...tokenize(after, options)]
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [[token.name, token.value ?? '']] : []))
  const operands = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const last = tokens.at(-1)
  const spec = last?.kind === 'option' && last.value === undefined ? findOption(last, options) : undefined
  const open = spec?.type === 'string' ? spec : undefined
  return { command, options, given: Object.fromEntries(given), operands, open, isProgram: end !== -1 }
}

type Offer = Candidate[] | 'file' | 'directory' | 'program'

async function find(call: CallSoFar, current: string, lookups: Lookups): Promise<Offer> {
  const { command, options, given, open } = call
  if (open !== undefined) return findValues(open.completes, given, lookups)
  const [, prefix, name] = /^(--([^=]+)=)/.exec(current) ?? []
  if (prefix !== undefined && name !== undefined) {
    const spec = Object.hasOwn(options, name) ? options[name] : undefined
    const values = await findValues(spec?.completes, given, lookups)
    return Array.isArray(values) ? values.map(({ word, help }) => ({ word: prefix + word, help })) : values
  }
  if (current.startsWith('-')) return listOptions(call)
  if (command === undefined) return findValues('command', given, lookups)
  return findOperands(call, command, lookups)
}

function listOptions({ command, options, given }: CallSoFar): Candidate[] {
  const open = Object.entries(options).filter(([name, { multiple }]) => multiple || !Object.hasOwn(given, name))
  const words = open.map(([name, { help, isNegated }]) => ({ word: `--${isNegated ? 'no-' : ''}${name}`, help }))
  return [...words, ...(command === undefined ? [] : separator(command))]
}

function separator(command: CommandName): Candidate[] {
  return findCommand(command).command === undefined ? [] : [{ word: '--', help: 'The command follows' }]
}

async function findOperands(call: CallSoFar, command: CommandName, lookups: Lookups): Promise<Offer> {
  const { operands } = findCommand(command)
  const last = operands.at(-1)
  const isRepeated = last?.count === 'any' || last?.count === 'some'
  const operand = operands[call.operands.length] ?? (isRepeated ? last : undefined)
  if (operand === undefined) return separator(command)
  const offer = await findValues(operand.completes, call.given, lookups)
  return Array.isArray(offer) ? offer.filter(({ word }) => !call.operands.includes(word)) : offer
}

async function findValues(completes: Completion | undefined, given: GivenOptions, lookups: Lookups): Promise<Offer> {
  switch (completes) {
    case undefined:
      return []
    case 'file':
    case 'directory':
    case 'program':
      return completes
    case 'command':
      return Object.entries(commands).map(([word, { summary }]) => ({ word, help: summary }))
    case 'preset':
      return [...(await lookups.presets())]
    case 'server':
      return withoutHelp(await lookups.servers(given))
    case 'session':
      return withoutHelp(await lookups.sessions(given))
    default:
      return withoutHelp(completes)
  }
}

const withoutHelp = (words: readonly string[]): Candidate[] => words.map((word) => ({ word, help: '' }))

/** A command after a server's name runs inside the server, which does not have the programs of this machine. */
function runsHere(command: CommandName): boolean {
  const spec = findCommand(command)
  return spec.command !== undefined && !spec.operands.some(({ completes }) => completes === 'server')
}
