import { isBlock } from '../../formats/block.ts'
import type { FieldPath } from '../../model/fleet.ts'

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
export function mergeServer(preset: Block, own: Block, inside = ''): Record<string, unknown> {
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
export function traceField(
  path: FieldPath,
  preset: Block,
  own: Block,
): { readonly from: 'preset' | 'own'; readonly path: FieldPath } {
  // An item of a list that the file has added to, or something in it.
  const length = [1, 2].find((count) => lists.has(path.slice(0, count).join('.')) && path.length > count)
  if (length === undefined) return { from: hasField(own, path) || !hasField(preset, path) ? 'own' : 'preset', path }
  const index = Number(path[length])
  const ofPreset = lengthOf(preset, path.slice(0, length))
  if (index < ofPreset) return { from: 'preset', path }
  return { from: 'own', path: [...path.slice(0, length), index - ofPreset, ...path.slice(length + 1)] }
}

function lengthOf(block: unknown, path: FieldPath): number {
  const list = fieldOf(block, path)
  return Array.isArray(list) ? list.length : 0
}

function hasField(block: unknown, path: FieldPath): boolean {
  return fieldOf(block, path) !== undefined
}

function fieldOf(block: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined,
    block,
  )
}
