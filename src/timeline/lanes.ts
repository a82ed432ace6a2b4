import type { Range } from './timeline-model.ts'

export interface Laned<Item> {
  readonly item: Item
  readonly lane: number
}

/** Gives items that overlap different lanes. Items come in the order of their beginnings. */
export function assignLanes<Item extends Range>(items: readonly Item[]): Laned<Item>[] {
  const ends: number[] = []
  return items.map((item) => {
    const free = ends.findIndex((endMs) => endMs <= item.fromMs + TOUCHING_MS)
    const lane = free === -1 ? ends.length : free
    ends[lane] = item.toMs
    return { item, lane }
  })
}

/** One may begin in the moment in which another one ends. */
const TOUCHING_MS = 1
