import { resolve } from 'node:path'
import { isBlock } from '../formats/block.ts'
import { isInside } from '../formats/paths.ts'
import type { Mistake } from '../model/failures.ts'
import type { FieldOrigin, FieldPath } from '../model/fleet.ts'
import { isPresetName } from '../model/fleet-file-rules.ts'
import { openPatternJudge, type PatternJudge } from '../patterns/match-pattern.ts'
import { type FleetDocument, type ReportMistake, reportTo } from './document.ts'
import { fillPreset, takeOptions } from './fill-preset.ts'
import {
  isHiddenElsewhere,
  isOwnPreset,
  type Preset,
  type PresetFolders,
  readPreset,
  wordNoPreset,
} from './read-preset.ts'

interface Expanded {
  readonly preset: Preset
  readonly filled: Block
  readonly own: Block
}

/**
 * The fleet file with each preset's server in the place of its name, and where everything in it stands. Nothing is valid
 * yet: a server whose preset cannot be expanded stays as it is written, and what is wrong with its preset is a mistake.
 */
export async function expandPresets(
  document: FleetDocument,
  folders: PresetFolders,
): Promise<{ readonly document: FleetDocument; readonly mistakes: readonly Mistake[] }> {
  const mistakes: Mistake[] = []
  const report = reportTo(mistakes, document)
  const { value } = document
  const servers = isBlock(value) && isBlock(value.servers) ? Object.entries(value.servers) : []
  await using judge = openPatternJudge()
  const all = servers.map(async ([name, server]): Promise<readonly [string, Expanded] | undefined> => {
    const expanded = await expandServer(['servers', name], server, { folders, report, judge })
    return expanded && [name, expanded]
  })
  const expanded = new Map((await Promise.all(all)).filter((one) => one !== undefined))
  if (expanded.size === 0) return { document, mistakes }
  const merged = servers.map(([name, server]): [string, unknown] => {
    const one = expanded.get(name)
    return [name, one === undefined ? server : mergeServer(one.filled, one.own)]
  })
  return {
    document: describeExpanded({ ...(value as Block), servers: Object.fromEntries(merged) }, document, expanded),
    mistakes,
  }
}

interface Expansion {
  readonly folders: PresetFolders
  readonly report: ReportMistake
  readonly judge: PatternJudge
}

/** Undefined for a server without a preset, and for one that is wrong: its mistakes are reported, or the schema finds them. */
async function expandServer(
  at: FieldPath,
  server: unknown,
  { folders, report, judge }: Expansion,
): Promise<Expanded | undefined> {
  if (!isBlock(server)) return undefined
  const { preset: name, options = {}, ...own } = server
  if (typeof name !== 'string' || !isPresetName(name) || !isBlock(options) || own.image !== undefined) return undefined
  if (
    isOwnPreset(name) &&
    (!isInside(resolve(folders.fleet, name), folders.fleet) || isHiddenElsewhere(name, folders))
  ) {
    report([...at, 'preset'], `${name} leads out of the fleet's folder`)
    return undefined
  }
  const preset = await readPreset(name, folders)
  if (preset === undefined) {
    report([...at, 'preset'], await wordNoPreset(name, folders))
    return undefined
  }
  const values = await takeOptions(options, preset, [...at, 'options'], { report, judge, folder: folders.fleet })
  return values && { preset, filled: fillPreset(preset, values), own }
}

/** What stands in the file is where it stands; what comes from a preset is there, or where the preset is asked for. */
function describeExpanded(
  value: unknown,
  document: FleetDocument,
  expanded: ReadonlyMap<string, Expanded>,
): FleetDocument {
  const find = (path: FieldPath): { document: FleetDocument; path: FieldPath; origin: FieldOrigin } => {
    const [top, server, ...rest] = path
    const one = top === 'servers' ? expanded.get(String(server)) : undefined
    if (one === undefined || server === undefined || rest.length === 0) return { document, path, origin: 'file' }
    const trace = traceField(rest, one.filled, one.own)
    if (trace.from === 'own') return { document, path: ['servers', server, ...trace.path], origin: 'file' }
    return one.preset.document === undefined
      ? { document, path: ['servers', server, 'preset'], origin: 'catalogue' }
      : { document: one.preset.document, path: ['server', ...trace.path], origin: 'preset' }
  }
  const locateWith = (how: 'locate' | 'locateKey') => (path: FieldPath) => {
    const place = find(path)
    return place.document[how](place.path)
  }
  return {
    value,
    locate: locateWith('locate'),
    locateKey: locateWith('locateKey'),
    locateText(path) {
      const place = find(path)
      return place.document === document ? document.locateText(place.path) : undefined
    },
    nameField(path) {
      const place = find(path)
      return document.nameField(place.origin === 'file' ? place.path : path)
    },
    originOf: (path) => find(path).origin,
  }
}

/** Blocks of which each key stands for itself: what the file says replaces what the preset says of the same key. */
const blocks = new Set([
  'build',
  'build.args',
  'build.environment',
  'environment',
  'export',
  'extraHosts',
  'labels',
  'limits',
  'secrets',
  'sysctls',
  'ulimits',
  'unsafe',
])

/** Lists to which the file adds. Every other list, such as `command`, `ports` and `ready`, replaces the preset's. */
const lists = new Set([
  'aliases',
  'build.copy',
  'build.packages',
  'build.run',
  'capAdd',
  'dependsOn',
  'ignore',
  'mounts',
  'tmpfs',
])

type Block = Readonly<Record<string, unknown>>

/** A preset's server with what the fleet file says of it, key by key. */
function mergeServer(preset: Block, own: Block, inside = ''): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...preset }
  for (const [key, value] of Object.entries(own)) {
    const name = inside + key
    const under = preset[key]
    if (blocks.has(name) && isBlock(under) && isBlock(value)) merged[key] = mergeServer(under, value, `${name}.`)
    else if (lists.has(name) && Array.isArray(under) && Array.isArray(value)) merged[key] = [...under, ...value]
    else merged[key] = value
  }
  return merged
}

/** Where the value at `path` of a merged server comes from, and its path there. */
function traceField(
  path: FieldPath,
  preset: Block,
  own: Block,
): { readonly from: 'preset' | 'own'; readonly path: FieldPath } {
  // An item of a list that the file has added to, or something in it.
  const length = [1, 2].find((count) => lists.has(path.slice(0, count).join('.')) && path.length > count)
  if (length === undefined) {
    return { from: fieldOf(own, path) === undefined && fieldOf(preset, path) !== undefined ? 'preset' : 'own', path }
  }
  const index = Number(path[length])
  const list = fieldOf(preset, path.slice(0, length))
  const ofPreset = Array.isArray(list) ? list.length : 0
  if (index < ofPreset) return { from: 'preset', path }
  return { from: 'own', path: [...path.slice(0, length), index - ofPreset, ...path.slice(length + 1)] }
}

function fieldOf(block: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined,
    block,
  )
}
