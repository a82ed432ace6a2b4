/** Keeps the beginning and end of a list that may be too long, and counts the dropped items in between. */
export interface BoundedList<Item> {
  add(item: Item): void
  /** Returns the kept items and the number of dropped ones. */
  read(): Kept<Item>
}

export interface Kept<Item> {
  readonly first: readonly Item[]
  readonly droppedCount: number
  readonly last: readonly Item[]
}

/** Keeps items with a total size of at most `maxSize`: a quarter for the beginning, the rest for the end. */
export function createBoundedList<Item>(maxSize: number, sizeOf: (item: Item) => number): BoundedList<Item> {
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
    // Removing items from the front moves the whole array, so it is done only now and then.
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

/** Formats the items as lines, with one line in place of the dropped items. */
export function toLines<Item>(
  { first, droppedCount, last }: Kept<Item>,
  format: (item: Item) => string,
  formatGap: (droppedCount: number) => string,
): string[] {
  return [...first.map(format), ...(droppedCount === 0 ? [] : [formatGap(droppedCount)]), ...last.map(format)]
}
