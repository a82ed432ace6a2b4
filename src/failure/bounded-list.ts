/** Keeps the first and the last of what may be too much, and counts what it lets go in between. */
export interface BoundedList<Item> {
  add(item: Item): void
  /** What is kept, with the count of what is missing in its place. */
  read(): Kept<Item>
}

export interface Kept<Item> {
  readonly first: readonly Item[]
  readonly droppedCount: number
  readonly last: readonly Item[]
}

/** Of all sizes together, at most `maxSize` is kept: a quarter for the first, the rest for the last. */
export function keepBounded<Item>(maxSize: number, sizeOf: (item: Item) => number): BoundedList<Item> {
  const first: Item[] = []
  let room = maxSize / 4
  let last: Item[] = []
  let lastSize = 0
  let start = 0
  let droppedCount = 0
  const shorten = (): void => {
    while (lastSize > (maxSize * 3) / 4 && start < last.length - 1) {
      lastSize -= sizeOf(last[start] as Item)
      start += 1
      droppedCount += 1
    }
    // Taking from the front of a long list moves all of it: done once in a while.
    if (start > 1000 && start > last.length / 2) {
      last = last.slice(start)
      start = 0
    }
  }
  return {
    add(item) {
      const size = sizeOf(item)
      if (room >= size && last.length === 0) {
        first.push(item)
        room -= size
        return
      }
      last.push(item)
      lastSize += size
      shorten()
    },
    read: () => ({ first, droppedCount, last: last.slice(start) }),
  }
}

/** As lines, with a line that tells of what is missing. */
export function toLines<Item>(
  { first, droppedCount, last }: Kept<Item>,
  format: (item: Item) => string,
  formatGap: (droppedCount: number) => string,
): string[] {
  return [...first.map(format), ...(droppedCount === 0 ? [] : [formatGap(droppedCount)]), ...last.map(format)]
}
