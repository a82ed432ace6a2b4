import { isBlock } from '../formats/block.ts'
import { exportReferences } from '../formats/export-template.ts'
import type { FieldPath } from '../model/fleet.ts'
import { type MergedPort, mergePorts } from './merge-ports.ts'
import { type PortItem, portsOf } from './resolve-ports.ts'

/** Blocks that are merged key by key: the file's value replaces the preset's value of the same key. */
const blocks = new Set([
  'build',
  'build.args',
  'build.environment',
  'database',
  'environment',
  'execEnvironment',
  'export',
  'extraHosts',
  'labels',
  'limits',
  'secrets',
  'sysctls',
  'ulimits',
  'unsafe',
])

/** Lists that the file adds to. `ports` are merged port by port. Other lists, such as `command`, are replaced. */
const lists = new Set([
  'aliases',
  'build.copy',
  'build.packages',
  'build.run',
  'capAdd',
  'dependsOn',
  'ignore',
  'mounts',
  'postStart',
  'preStart',
  'preStop',
  'tmpfs',
])

/** Returns whether the file's value of a key adds to the preset's value instead of replacing it as a whole. */
export function isMerged(key: string): boolean {
  return blocks.has(key) || lists.has(key) || key === 'ports'
}

export type Block = Readonly<Record<string, unknown>>

/** Merges a preset's server with the fleet file's keys, key by key. */
export function mergeServer(preset: Block, own: Block): Record<string, unknown> {
  const merged = mergeBlock(preset, own, '')
  const ports = mergedPorts(preset, own)
  if (ports === undefined) return merged
  merged.ports = ports.map(({ item }) => item)
  if (isBlock(preset.export)) merged.export = dropExports(merged, preset)
  return merged
}

function mergeBlock(preset: Block, own: Block, inside: string): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...preset }
  for (const [key, value] of Object.entries(own)) {
    const name = inside + key
    const under = preset[key]
    if (blocks.has(name) && isBlock(under) && isBlock(value)) merged[key] = mergeBlock(under, value, `${name}.`)
    else if (lists.has(name) && Array.isArray(under) && Array.isArray(value)) merged[key] = [...under, ...value]
    else merged[key] = value
  }
  return merged
}

function mergedPorts(preset: Block, own: Block): readonly MergedPort[] | undefined {
  return Array.isArray(preset.ports) && Array.isArray(own.ports) ? mergePorts(preset.ports, own.ports) : undefined
}

/** Removes the preset's variables for ports that are no longer published. */
function dropExports({ ports, export: exported }: Block, preset: Block): Block {
  const left = new Set((ports as PortItem[]).flatMap(portsOf).map(({ container }) => container))
  const gone = (preset.ports as PortItem[]).flatMap(portsOf).filter(({ container }) => !left.has(container))
  const isLeft = (text: unknown): boolean =>
    exportReferences(String(text)).every((reference) => {
      if (reference.kind === 'host') return left.size > 0
      const isOfPort = reference.kind === 'port' || reference.kind === 'endpoint'
      return !isOfPort || !gone.some(({ container }) => container === reference.port)
    })
  const isOfPreset = (name: string, text: unknown): boolean => (preset.export as Block)[name] === text
  const entries = Object.entries(exported as Block)
  return Object.fromEntries(entries.filter(([name, text]) => !isOfPreset(name, text) || isLeft(text)))
}

/** Returns the source of the value at `path` of a merged server, and its path there. */
export function traceField(
  path: FieldPath,
  preset: Block,
  own: Block,
): { readonly from: 'preset' | 'own'; readonly path: FieldPath } {
  const port = path[0] === 'ports' ? mergedPorts(preset, own)?.[Number(path[1])] : undefined
  if (port !== undefined) return { from: port.from, path: ['ports', port.index, ...path.slice(2)] }
  // An item that the file has added to a list, or a value in it.
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

export function fieldOf(block: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined,
    block,
  )
}
