import { isBlock } from '../formats/block.ts'
import type { FieldPath } from '../model/fleet.ts'
import type { ReportMistake } from './document.ts'
import { type Block, isMerged } from './merge-server.ts'
import type { Preset } from './read-preset.ts'

/**
 * Reports each given option without effect, because keys of the fleet file replace everything that uses it: for example,
 * an option that is only used in the preset's `command`, when the fleet file has its own `command`.
 */
export function checkOptions(
  { preset, own, asked }: { readonly preset: Preset; readonly own: Block; readonly asked: Block },
  at: FieldPath,
  report: ReportMistake,
): void {
  const uses = Object.entries(preset.server).flatMap(([key, value]): [string, string][] =>
    isMerged(key) && isBlock(value)
      ? Object.entries(value).flatMap(([name, member]) =>
          listOptions(member).map((option) => [option, `${key}.${name}`]),
        )
      : listOptions(value).map((option) => [option, key]),
  )
  const isReplaced = (place: string): boolean => {
    const [key = '', name] = place.split(/\.(.*)/s)
    const value = own[key]
    if (value === undefined || key === 'build') return false
    return name === undefined ? !isMerged(key) : isBlock(value) && value[name] !== undefined
  }
  for (const option of Object.keys(asked)) {
    const places = [...new Set(uses.filter(([used]) => used === option).map(([, place]) => place))]
    if (places.length === 0 || !places.every(isReplaced)) continue
    const replacing = places.map((place) => `\`${place}\``).join(' and ')
    report(
      [...at, 'options', option],
      `does nothing here: ${replacing} of the server ${places.length === 1 ? 'replaces' : 'replace'} what uses it`,
    )
  }
}

/** Names of the options that a value uses. */
function listOptions(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(/\$\{option\.(\w+)\}/g)].map(([, name]) => String(name))
  if (Array.isArray(value)) return value.flatMap(listOptions)
  if (!isBlock(value)) return []
  const own = [value.option, value.if].filter((name) => typeof name === 'string')
  return [...own, ...Object.values(value).flatMap(listOptions)]
}
