import { isAbsolute, join } from 'node:path'
import { isBlock } from '../formats/block.ts'
import { loginEnd } from '../formats/export-template.ts'
import type { Preset } from './read-preset.ts'
import { isSomething, type OptionValues } from './take-options.ts'

/** Stands for what an option that was not asked for leaves out: its key, or its item of a list. */
const nothing = Symbol('nothing')

/** The server that a preset is, with what was asked for in its places, and its own paths where its files are. */
export function fillPreset(preset: Preset, options: OptionValues): Record<string, unknown> {
  const { export: exported, ...rest } = preset.server
  const filling = { options, folder: preset.folder }
  const server = fill(rest, filling) as Record<string, unknown>
  return isBlock(exported) ? { ...server, export: fillExport(exported, filling) } : server
}

/** A variable, too, may be there only for what was asked for. */
function fillExport(exported: Record<string, unknown>, filling: Filling): Record<string, unknown> {
  const entries = Object.entries(exported).flatMap(([name, text]): [string, unknown][] => {
    const template = isBlock(text) && 'if' in text ? choose(text, filling) : text
    return template === nothing ? [] : [[name, fillText(template, filling.options)]]
  })
  return Object.fromEntries(entries)
}

interface Filling {
  readonly options: OptionValues
  /** What the preset's own paths start from. */
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
    // `user.*` of a block: each of its keys, with that in front.
    return Object.entries(isBlock(filled) ? filled : {}).map(([name, one]) => [key.slice(0, -1) + name, one])
  })
  return Object.fromEntries(entries)
}

/** A list in the place of an item gives its items. */
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

/** Of an item of `copy` or `mounts`, or of `build`; `from` of `build` is an image. */
function isOwnPath(key: string, block: Record<string, unknown>): boolean {
  return (key === 'from' && 'to' in block) || ((key === 'dockerfile' || key === 'context') && 'dockerfile' in block)
}

/** A preset's own files are in its folder; files named in its options are in the fleet file's folder. */
function movePath(path: string, { folder }: Filling): string {
  return isAbsolute(folder) ? join(folder, path) : `${folder}/${path}`
}

/** `export` alone is filled in as text, and is never more than text: elsewhere an option is a value of its own. */
function fillText(template: unknown, options: OptionValues): unknown {
  if (typeof template !== 'string') return template
  const login = loginEnd(template)
  return template.replaceAll(/\$\{option\.(\w+)\}/g, (_, name: string, at: number) => {
    // What was asked for is no template.
    const value = String(options.get(name) ?? '').replaceAll('$', '')
    return at < login ? encodeURIComponent(value.toWellFormed()) : value
  })
}
