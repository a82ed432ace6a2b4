/** How many items are under way before their reader has taken the first. */
const WINDOW = 8

/** Longest part of a stream in one message. */
const PART_BYTES = 64 << 10

/** Counts how many items the reader has room for. */
export interface Room {
  /** The reader has room for one more. */
  grant(): void
  /** Waits for room. Returns false once the stream was closed. */
  take(): Promise<boolean>
  close(): void
}

export function openRoom(): Room {
  let free = 0
  let isClosed = false
  let wake: (() => void) | undefined
  return {
    grant() {
      free++
      wake?.()
    },
    async take() {
      while (free === 0 && !isClosed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      free--
      return !isClosed
    },
    close() {
      isClosed = true
      wake?.()
    },
  }
}

/** Items that arrive from the other process. */
export interface Inbox<Item> {
  push(item: Item): void
  end(): void
  fail(error: unknown): void
  /** Can be called once. Asks for items only while it is read. */
  read(): AsyncGenerator<Item, void, void>
}

/** `askForMore` is called for each item that there is room for; `stop` when the reader leaves before the end. */
export function openInbox<Item>(askForMore: () => void, stop: () => Promise<void>): Inbox<Item> {
  const items: Item[] = []
  let over: { readonly error?: unknown } | undefined
  let wake: (() => void) | undefined
  const finish = (how: { readonly error?: unknown }): void => {
    over ??= how
    wake?.()
  }
  const next = async (): Promise<{ readonly item: Item } | undefined> => {
    while (items.length === 0 && over === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (items.length > 0) return { item: items.shift() as Item }
    if (over !== undefined && 'error' in over) throw over.error
    return undefined
  }
  return {
    push(item) {
      items.push(item)
      wake?.()
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    async *read() {
      try {
        for (let i = 0; i < WINDOW; i++) askForMore()
        for (let item = await next(); item !== undefined; item = await next()) {
          yield item.item
          askForMore()
        }
      } finally {
        if (over === undefined) await stop()
      }
    },
  }
}

/** Splits what is longer than one message should be. */
export function* splitBytes(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length <= PART_BYTES) yield bytes
  else for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.slice(at, at + PART_BYTES)
}
