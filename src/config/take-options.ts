import { isBlock } from '../formats/block.ts'
import { isWholeText } from '../formats/grammar.ts'
import type { FieldPath } from '../model/fleet.ts'
import type { PresetOption } from '../model/preset-file.ts'
import { findMismatchHere, type Mismatch, type PatternJudge } from '../patterns/match-pattern.ts'
import { findOptionPathMistake } from './check-paths.ts'
import { type ReportMistake, suggest } from './document.ts'
import type { Preset } from './read-preset.ts'

/** Given or default value, or undefined for an option without either. */
export type OptionValues = ReadonlyMap<string, unknown>

interface Taking {
  readonly report: ReportMistake
  readonly judge: PatternJudge
  /** Folder that paths in options start from. */
  readonly folder: string
}

/**
 * Returns the given options of a preset, or undefined after reporting mistakes in them. Patterns of the user's own preset
 * are matched by the judge, in a thread that can be ended: they may never come to an end.
 */
export async function takeOptions(
  asked: Readonly<Record<string, unknown>>,
  preset: Preset,
  at: FieldPath,
  { report, judge, folder }: Taking,
): Promise<OptionValues | undefined> {
  let isWrong = false
  const refuse = (name: string, message: string): void => {
    isWrong = true
    report([...at, name], message)
  }
  const known = preset.options ?? {}
  for (const name of Object.keys(asked)) {
    if (!Object.hasOwn(known, name)) refuse(name, wordUnknown(name, preset))
  }
  const findMismatch = preset.document === undefined ? findMismatchHere : judge.findMismatch
  const values = new Map<string, unknown>()
  for (const [name, option] of Object.entries(known)) {
    const value = Object.hasOwn(asked, name) ? asked[name] : undefined
    values.set(name, value ?? defaultOf(option))
    const mistake = value === undefined ? undefined : await findOptionMistake(value, option, findMismatch, folder)
    if (mistake !== undefined) refuse(name, mistake)
  }
  for (const [name, needs] of findUseless(asked, known, values)) refuse(name, `has no effect without \`${needs}\``)
  return isWrong ? undefined : values
}

/** Options that are given although the option that they need is off, each with the other's name. */
function findUseless(
  asked: Readonly<Record<string, unknown>>,
  known: NonNullable<Preset['options']>,
  values: OptionValues,
): (readonly [string, string])[] {
  return Object.entries(known).flatMap(([name, { needs }]) => {
    const isAsked = Object.hasOwn(asked, name) && isSomething(asked[name])
    return needs !== undefined && isAsked && !isSomething(values.get(needs)) ? [[name, needs] as const] : []
  })
}

function wordUnknown(name: string, { name: preset, options = {} }: Preset): string {
  const known = Object.keys(options)
  if (known.length === 0) return `the preset ${preset} has no options`
  return `the preset ${preset} has no such option${suggest(name, known, `; it has: ${known.join(', ')}`)}`
}

/** Values of options that were not given. */
export function defaultsOf({ options = {} }: Preset): OptionValues {
  return new Map(Object.entries(options).map(([name, option]) => [name, defaultOf(option)]))
}

function defaultOf(option: PresetOption): unknown {
  return 'default' in option ? option.default : undefined
}

async function findOptionMistake(
  value: unknown,
  option: PresetOption,
  findMismatch: FindMismatch,
  folder: string,
): Promise<string | undefined> {
  const mistake = findMistake(value, option)
  if (mistake !== undefined) return mistake
  if (option.type === 'path') return findOptionPathMistake(String(value), option.kind, folder)
  return judgeTexts(value, option, findMismatch)
}

function findMistake(value: unknown, option: PresetOption): string | undefined {
  switch (option.type) {
    case 'text':
      return findChoiceMistake(value, option)
    case 'number':
      return findNumberMistake(value, option)
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false'
    case 'list':
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return 'must be a list of text'
      return firstMistake(value)
    case 'path':
      return typeof value === 'string' && value !== '' ? undefined : 'must be a path, relative to the fleet file'
    case 'secret':
      return isBlock(value) ? undefined : 'must be { env: … }, { file: … }, { generate: … } or { value: … }'
    case 'users':
      if (!isBlock(value) || !Object.values(value).every(isBlock))
        return 'must be names, each with { env: … }, { file: … }, { generate: … } or { value: … } for the password'
      return firstMistake(Object.keys(value))
  }
}

type OptionOf<Type extends PresetOption['type']> = Extract<PresetOption, { type: Type }>

function findChoiceMistake(value: unknown, { values }: OptionOf<'text'>): string | undefined {
  if (typeof value !== 'string') return 'must be text'
  if (values === undefined || values.includes(value)) return findTextMistake(value)
  return `must be ${values.join(' or ')}, not ${JSON.stringify(value)}`
}

function findNumberMistake(
  value: unknown,
  { min = -Infinity, max = Infinity }: OptionOf<'number'>,
): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number'
  if (value < min) return `must be at least ${min}`
  return value > max ? `must be at most ${max}` : undefined
}

function firstMistake(texts: readonly string[]): string | undefined {
  return texts.map(findTextMistake).find((mistake) => mistake !== undefined)
}

function findTextMistake(text: string): string | undefined {
  if (!isWholeText(text)) return 'cannot hold half of a character (a lone surrogate)'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern excludes control characters
  if (text.length > 4096 || /[\u0000-\u001f\u007f]/.test(text)) return 'must be one line with no control characters'
  return undefined
}

type FindMismatch = (pattern: string, texts: readonly string[]) => Mismatch | Promise<Mismatch>

/** Returns what is wrong, by the option's pattern, with a value that is right otherwise. */
async function judgeTexts(
  value: unknown,
  option: PresetOption,
  findMismatch: FindMismatch,
): Promise<string | undefined> {
  if (!('pattern' in option) || option.pattern === undefined) return undefined
  const { pattern, form, reserved } = option
  const texts = listTexts(value)
  const taken = texts.find((text) => reserved?.names.includes(text))
  if (reserved !== undefined && taken !== undefined) return `cannot be ${JSON.stringify(taken)}: ${reserved.reason}`
  const mismatch = await findMismatch(pattern, texts)
  switch (mismatch.kind) {
    case 'none':
      return undefined
    case 'differs':
      return form === undefined
        ? `${JSON.stringify(mismatch.text)} does not match ${pattern}`
        : `must be ${form}, not ${JSON.stringify(mismatch.text)}`
    case 'endless':
      return `cannot be compared with ${pattern} in time; write this pattern without a repeat inside a repeat`
    case 'unknown':
      return 'was not compared with its pattern, as another one used up the time'
  }
}

function listTexts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value
  return isBlock(value) ? Object.keys(value) : [String(value)]
}

/** Returns whether an option counts as given where a preset has `if`. */
export function isSomething(value: unknown): boolean {
  if (value === undefined || value === false || value === '') return false
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0
}
