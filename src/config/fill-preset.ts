import { isAbsolute, join } from 'node:path'
import { isBlock } from '../formats/block.ts'
import { loginEnd } from '../formats/export-template.ts'
import type { Preset } from './read-preset.ts'
import { isSomething, type OptionValues } from './take-options.ts'

/** Marks a value to leave out, with its key or item, because its option was not given. */
const nothing = Symbol('nothing')

/** Returns the server of a preset with its options filled in and with the paths of its own files resolved. */
export function fillPreset(preset: Preset, options: OptionValues): Record<string, unknown> {
  const { export: exported, ...rest } = preset.server
  const filling = { options, folder: preset.folder }
  const server = fill(rest, filling) as Record<string, unknown>
  return isBlock(exported) ? { ...server, export: fillExport(exported, filling) } : server
}

/** Variables can also be present only for a given option. */
function fillExport(exported: Record<string, unknown>, filling: Filling): Record<string, unknown> {
  const entries = Object.entries(exported).flatMap(([name, text]): [string, unknown][] => {
    const template = isBlock(text) && 'if' in text ? choose(text, filling) : text
    return template === nothing ? [] : [[name, fillText(template, filling.options)]]
  })
  return Object.fromEntries(entries)
}

interface Filling {
  readonly options: OptionValues
  /** Folder that the preset's own paths start from. */
  readonly folder: string
}

function fill(value: unknown, filling: Filling): unknown {
  if (Array.isArray(value)) return value.flatMap((item) => fillItem(item, filling))
  if (!isBlock(value)) return value
  if ('option' in value) return filling.options.get(String(value.option)) ?? nothing
  if ('if' in value) return choose(value, filling)
  const entries = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (typeof member === 'string') return [[key, isOwnPath(key, value) ? movePath(member, filling) : member]]
    const filled = fill(member, filling)
    if (filled === nothing) return []
    if (!key.endsWith('*')) return [[key, filled]]
    // `user.*` of a block: each of its keys with this prefix.
    return Object.entries(isBlock(filled) ? filled : {}).map(([name, one]) => [key.slice(0, -1) + name, one])
  })
  return Object.fromEntries(entries)
}

/** A list in place of an item contributes its items. */
function fillItem(item: unknown, filling: Filling): unknown[] {
  const filled = fill(item, filling)
  if (filled === nothing) return []
  return isBlock(item) && Array.isArray(filled) ? filled : [filled]
}

function choose(value: Record<string, unknown>, filling: Filling): unknown {
  const asked = filling.options.get(String(value.if))
  if ('is' in value ? asked === value.is : isSomething(asked)) return fill(value.then, filling)
  return 'else' in value ? fill(value.else, filling) : nothing
}

/** Fields of an item of `copy` or `mounts`, or of `build`. `from` of `build` is an image. */
function isOwnPath(key: string, block: Record<string, unknown>): boolean {
  return (key === 'from' && 'to' in block) || ((key === 'dockerfile' || key === 'context') && 'dockerfile' in block)
}

/** A preset's own files are in its folder; files named in its options are in the fleet file's folder. */
function movePath(path: string, { folder }: Filling): string {
  return isAbsolute(folder) ? join(folder, path) : `${folder}/${path}`
}

/** Only `export` is filled in as text, and stays text. Elsewhere an option is a whole value. */
function fillText(template: unknown, options: OptionValues): unknown {
  if (typeof template !== 'string') return template
  const login = loginEnd(template)
  return template.replaceAll(/\$\{option\.(\w+)\}/g, (_, name: string, at: number) => {
    // Values of options are not templates.
    const value = String(options.get(name) ?? '').replaceAll('$', '')
    return at < login ? encodeURIComponent(value.toWellFormed()) : value
  })
}
