import { isBlock } from '../formats/block.ts'
import type { Port } from '../model/fleet.ts'
import { type PortItem, portsOf } from './resolve-ports.ts'

/** An item of `ports`, and where it was written. */
export interface MergedPort {
  readonly item: unknown
  readonly from: 'preset' | 'own'
  readonly index: number
}

/**
 * Merges a preset's ports with those of the fleet file. An item for a port of the preset replaces it or, with
 * `publish: false`, removes it. Other items are added. An empty list publishes nothing.
 */
export function mergePorts(preset: readonly unknown[], own: readonly unknown[]): readonly MergedPort[] {
  if (own.length === 0) return []
  const mine = own.map((item, index) => ({ item, index, ports: new Set(portsIn(item).map(nameOf)) }))
  const placed = new Set<number>()
  const place = (found: typeof mine): MergedPort[] =>
    found.flatMap(({ item, index }) => {
      if (placed.has(index)) return []
      placed.add(index)
      return isBlock(item) && item.publish === false ? [] : [{ item, from: 'own', index }]
    })
  const ofPreset = preset.flatMap((item, index): MergedPort[] => {
    const ports = portsIn(item)
    const isChanged = ports.some((port) => mine.some((one) => one.ports.has(nameOf(port))))
    if (!isChanged) return [{ item, from: 'preset', index }]
    return ports.flatMap((port) => {
      const found = mine.filter((one) => one.ports.has(nameOf(port)))
      return found.length > 0 ? place(found) : [{ item: port, from: 'preset', index }]
    })
  })
  const added = mine.filter(({ index }) => !placed.has(index))
  return [...ofPreset, ...added.map(({ item, index }): MergedPort => ({ item, from: 'own', index }))]
}

/** Nothing is valid yet. A value that is no port has no ports. */
function portsIn(item: unknown): Port[] {
  return isBlock(item) || typeof item === 'number' || typeof item === 'string' ? portsOf(item as PortItem) : []
}

function nameOf({ container, protocol }: Port): string {
  return `${container}/${protocol}`
}
