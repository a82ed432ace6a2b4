import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { findNearest } from '../formats/nearest.ts'
import { TestfleetError } from '../model/failures.ts'
import type { OptionSpec, Options } from './commands/command.ts'
import { type CommandName, commands, findCommand, formatUsage } from './commands.ts'

interface CallWords {
  readonly before: readonly string[]
  /** Undefined when there is none. */
  readonly command: string | undefined
  readonly after: readonly string[]
}

/** Finds the command among the words of a call, which options with values may precede. */
export function splitCall(words: readonly string[], options: Options): CallWords {
  const at = tokenize(words, options).find(({ kind }) => kind === 'positional')?.index ?? words.length
  return { before: words.slice(0, at), command: words[at], after: words.slice(at + 1) }
}

type Values = Record<string, string | boolean | (string | boolean)[]>

interface ParsedOptions {
  readonly values: Values
  readonly operands: readonly string[]
}

/** Parses the words after a command. Fails with USAGE. `name` is the command's name. */
export function parseOptions(words: readonly string[], options: Options, name: CommandName | undefined): ParsedOptions {
  const values: Values = {}
  const operands: string[] = []
  for (const token of tokenize(words, options)) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const spec = findOption(token, options)
    if (spec === undefined) throw noSuchOption(token.rawName, options, operands.length, name)
    const value = spec.type === 'boolean' ? readFlag(token, name) : readValue(token, spec, name)
    values[token.name] = spec.multiple ? [values[token.name] ?? [], value].flat() : value
  }
  return { values, operands }
}

export function tokenize(words: readonly string[], options: Options) {
  const mild = { strict: false, tokens: true, allowPositionals: true, allowNegative: true } as const
  return parseArgs({ args: [...words], options: options as ParseArgsOptionsConfig, ...mild }).tokens
}

const isNegation = ({ rawName }: OptionToken): boolean => rawName.startsWith('--no-')

/** Undefined when there is no such option. */
export function findOption(token: OptionToken, options: Options): OptionSpec | undefined {
  const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined
  return spec?.type === 'string' && isNegation(token) ? undefined : spec
}

interface OptionToken {
  readonly name: string
  /** As it was written: `-f` or `--file`. */
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function readFlag(token: OptionToken, command: CommandName | undefined): boolean {
  if (token.value === undefined) return !isNegation(token)
  throw new TestfleetError('USAGE', `${token.rawName} takes no value`, { hint: seeHelp(command) })
}

function readValue(
  { name, rawName, value, inlineValue }: OptionToken,
  spec: OptionSpec,
  command?: CommandName,
): string {
  const refuse = (why: string, hint = seeHelp(command)) => new TestfleetError('USAGE', why, { hint })
  if (value === undefined || value === '') throw refuse(`${rawName} needs a value`)
  if (!inlineValue && /^-./.test(value)) {
    const followed = `${rawName} needs a value, and ${JSON.stringify(value)} follows it`
    throw refuse(followed, `If that is the value, write --${name}=${value}`)
  }
  const { completes: words } = spec
  if (typeof words !== 'object' || words.includes(value)) return value
  const nearest = findNearest(value, words)
  const wrong = `--${name} takes ${listWords(words)}, not ${JSON.stringify(value)}`
  throw refuse(wrong, nearest === undefined ? seeHelp(command) : `Did you mean ${nearest}?`)
}

/** `json, text or sarif` */
export function listWords(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1')
}

function noSuchOption(option: string, options: Options, operands: number, name: CommandName | undefined) {
  if (name === undefined) {
    const owner = findOwner(option)
    const hint =
      owner === undefined
        ? suggestOption(option, options)
        : `Write it after the command, as in \`testfleet ${owner} ${option}\`.`
    return new TestfleetError('USAGE', `there is no option ${option} before the command`, { hint: hint ?? seeHelp() })
  }
  const { command, operands: spec } = findCommand(name)
  const isOfProgram = command !== undefined && operands > spec.length
  return new TestfleetError('USAGE', `testfleet ${name} has no option ${option}`, {
    hint: isOfProgram
      ? `Write CMD after \`--\`: testfleet ${formatUsage(name)}`
      : (suggestOption(option, options) ?? seeHelp(name)),
  })
}

function suggestOption(option: string, options: Options): string | undefined {
  const names = Object.entries(options).map(([name, { isNegated }]) => (isNegated ? `no-${name}` : name))
  const nearest = findNearest(option.replace(/^-+/, ''), names)
  return nearest === undefined ? undefined : `Did you mean --${nearest}?`
}

/** The first command that has an option of its own that is written like this. */
function findOwner(option: string): CommandName | undefined {
  const names = Object.keys(commands) as CommandName[]
  return names.find((name) =>
    Object.entries(findCommand(name).options).some(
      ([long, { short, isNegated }]) => option === `--${isNegated ? 'no-' : ''}${long}` || option === `-${short}`,
    ),
  )
}

const seeHelp = (name?: CommandName): string =>
  name === undefined ? 'See `testfleet help`.' : `See \`testfleet ${name} --help\`.`
