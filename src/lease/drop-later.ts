import { openDropper } from './dropper.ts'

export interface DropLaterSettings {
  /** Makes a thing unreachable for its user. Resolves with the bytes that it keeps using. */
  close(thing: string): Promise<number>
  drop(thing: string): Promise<void>
  /** Most that is kept. What exceeds it is dropped at once, the oldest first. */
  readonly most: { readonly things: number; readonly bytes: number }
  /** How long nobody needs the server before things are dropped that could stay. */
  readonly idleMs: number
  /** Whether somebody waits for the server, or will soon. */
  isBusy(): boolean
}

/** Closes things at once, and drops them when that disturbs nobody, or when too many are kept. */
export interface DropLater {
  /** Number of things that are not gone yet. */
  readonly left: number
  /** Closes a thing. One that cannot be closed is dropped at once. */
  release(thing: string): void
  /** Begins the time again after which things are dropped because nobody needs the server. */
  postpone(): void
  /** Drops everything. Resolves when it is gone, or could not be dropped even now. */
  close(): Promise<void>
}

export function openDropLater({ close, drop, most, idleMs, isBusy }: DropLaterSettings): DropLater {
  const dropper = openDropper(drop)
  const closing = new Map<string, Promise<void>>()
  /** Bytes of each thing that is closed, the oldest first. */
  const kept = new Map<string, number>()
  let bytes = 0
  let isEnding = false
  let clock: NodeJS.Timeout | undefined

  async function closeAndKeep(thing: string): Promise<void> {
    try {
      const size = await close(thing)
      closing.delete(thing)
      kept.set(thing, size)
      bytes += size
    } catch {
      closing.delete(thing)
      void dropper.drop(thing)
    }
    while (isEnding ? kept.size > 0 : kept.size > most.things || bytes > most.bytes) void dropOldest()
    postpone()
  }

  function dropOldest(): Promise<void> {
    for (const [thing, size] of kept) {
      kept.delete(thing)
      bytes -= size
      return dropper.drop(thing)
    }
    return Promise.resolve()
  }

  function postpone(): void {
    clearTimeout(clock)
    clock = isEnding || kept.size === 0 ? undefined : setTimeout(dropWhileIdle, idleMs).unref()
  }

  /** One after the other, so that somebody who asks waits for at most one. */
  async function dropWhileIdle(): Promise<void> {
    const mine = clock
    while (clock === mine && kept.size > 0 && !isBusy()) await dropOldest()
    if (clock === mine) postpone()
  }

  return {
    get left() {
      return closing.size + kept.size + dropper.left
    },
    release(thing) {
      closing.set(thing, closeAndKeep(thing))
    },
    postpone,
    async close() {
      isEnding = true
      postpone()
      while (kept.size > 0) void dropOldest()
      await Promise.all(closing.values())
      await dropper.close()
    },
  }
}
