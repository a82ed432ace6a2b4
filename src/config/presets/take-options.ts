import { isBlock } from '../../formats/block.ts'
import type { FieldPath } from '../../model/fleet.ts'
import type { PresetOption } from '../../model/preset-file.ts'
import type { ReportMistake } from '../document.ts'
import { findNearest } from '../nearest.ts'
import type { Preset } from './preset.ts'

/** What was asked for, or is the default; undefined for an option without either. */
export type OptionValues = ReadonlyMap<string, unknown>

/** Checks what was asked of a preset against what it takes. */
export function takeOptions(
  asked: Readonly<Record<string, unknown>>,
  preset: Preset,
  at: FieldPath,
  report: ReportMistake,
): OptionValues {
  const known = preset.options ?? {}
  for (const name of Object.keys(asked)) {
    if (!Object.hasOwn(known, name)) report([...at, name], wordUnknown(name, preset))
  }
  const entries = Object.entries(known).map(([name, option]): [string, unknown] => {
    const value = Object.hasOwn(asked, name) ? asked[name] : undefined
    if (value === undefined) return [name, 'default' in option ? option.default : undefined]
    const mistake = findMistake(value, option)
    if (mistake !== undefined) report([...at, name], mistake)
    return [name, value]
  })
  return new Map(entries)
}

function wordUnknown(name: string, { name: preset, options = {} }: Preset): string {
  const known = Object.keys(options)
  if (known.length === 0) return `the preset ${preset} has no options`
  const nearest = findNearest(name, known)
  const guess = nearest === undefined ? `it has: ${known.join(', ')}` : `did you mean \`${nearest}\`?`
  return `the preset ${preset} has no such option; ${guess}`
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
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return 'must be a list of texts'
      return firstMistake(value, option.pattern)
    case 'path':
      return typeof value === 'string' && value !== '' ? undefined : 'must be a path, relative to the fleet file'
    case 'secret':
      return isBlock(value) ? undefined : 'must be { env: … }, { file: … } or { generate: … }'
    case 'users':
      if (!isBlock(value) || !Object.values(value).every(isBlock))
        return 'must be names, each with { env: … }, { file: … } or { generate: … } for the password'
      return firstMistake(Object.keys(value), option.pattern)
  }
}

function findChoiceMistake(value: unknown, { values, pattern }: TextOption): string | undefined {
  if (typeof value !== 'string') return 'must be text'
  if (values === undefined || values.includes(value)) return findTextMistake(value, pattern)
  return `must be ${values.join(' or ')}, not ${JSON.stringify(value)}`
}

type TextOption = Extract<PresetOption, { type: 'text' }>

function findNumberMistake(value: unknown, { min = -Infinity, max = Infinity }: NumberOption): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number'
  if (value < min) return `must be at least ${min}`
  return value > max ? `must be at most ${max}` : undefined
}

type NumberOption = Extract<PresetOption, { type: 'number' }>

function firstMistake(texts: readonly string[], pattern: string | undefined): string | undefined {
  return texts.map((text) => findTextMistake(text, pattern)).find((mistake) => mistake !== undefined)
}

function findTextMistake(text: string, pattern: string | undefined): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it keeps out
  if (text.length > 4096 || /[\u0000-\u001f\u007f]/.test(text)) return 'must be one line with no control characters'
  if (pattern === undefined || new RegExp(`^(?:${pattern})$`, 'u').test(text)) return undefined
  return `${JSON.stringify(text)} does not match ${pattern}`
}
