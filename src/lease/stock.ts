import { onAbort } from '../model/on-abort.ts'
export interface StockSettings<Thing> {
  /** Number of things that are kept ready. */
  readonly size: number
  /** Most that are made at the same time. */
  readonly makers: number
  /** How long one that was ready is used before the next is made: making it would slow down its user's first steps. */
  readonly pauseMs: number
  make(): Promise<Thing>
  /** Removes a thing that was made for someone who has left. */
  drop(thing: Thing): void
  /** Failure of those who ask or wait after the end. */
  closed(): Error
}

/** Things that are made before they are asked for. */
export interface Stock<Thing> {
  /** Number of things that are ready. Never more than `size`. */
  readonly ready: number
  /** Whether some are being made, or will be soon. */
  readonly isBusy: boolean
  /** Resolves with one that nobody has had; those who wait are served in turn. Rejects as `make` does. */
  take(signal?: AbortSignal): Promise<Thing>
  /** Makes no more, and resolves with those that nobody has taken. */
  close(): Promise<readonly Thing[]>
}

interface Waiter<Thing> {
  resolve(thing: Thing): void
  reject(reason: unknown): void
}

/** Keeps `size` things ready. After a failure it makes more only when one is asked for. */
export function openStock<Thing>(settings: StockSettings<Thing>): Stock<Thing> {
  const { size, makers, pauseMs, make, drop, closed } = settings
  const ready: Thing[] = []
  const waiting: Waiter<Thing>[] = []
  const making = new Set<Promise<void>>()
  let isClosed = false
  let clock: NodeJS.Timeout | undefined

  function fill(): void {
    clearTimeout(clock)
    clock = undefined
    const missing = waiting.length + size - ready.length
    while (!isClosed && making.size < Math.min(makers, missing)) {
      const one: Promise<void> = makeOne().then((isMade) => {
        making.delete(one)
        if (isMade) fill()
      })
      making.add(one)
    }
  }

  async function makeOne(): Promise<boolean> {
    try {
      offer(await make())
      return true
    } catch (error) {
      for (const { reject } of waiting.splice(0)) reject(error)
      return false
    }
  }

  function offer(thing: Thing): void {
    const waiter = waiting.shift()
    if (waiter !== undefined) waiter.resolve(thing)
    else if (ready.length < size) ready.push(thing)
    else drop(thing)
  }

  fill()
  return {
    get ready() {
      return ready.length
    },
    get isBusy() {
      return making.size > 0 || waiting.length > 0 || clock !== undefined
    },
    async take(signal) {
      signal?.throwIfAborted()
      if (isClosed) throw closed()
      const thing = ready.shift()
      if (thing !== undefined) {
        clock ??= setTimeout(fill, pauseMs).unref()
        return thing
      }
      const { promise, ...waiter } = Promise.withResolvers<Thing>()
      const leave = (): void => {
        const at = waiting.indexOf(waiter)
        if (at !== -1) waiting.splice(at, 1)
        waiter.reject(signal?.reason)
      }
      waiting.push(waiter)
      const stopListening = onAbort(signal, leave)
      fill()
      try {
        return await promise
      } finally {
        stopListening()
      }
    },
    async close() {
      isClosed = true
      clearTimeout(clock)
      for (const { reject } of waiting.splice(0)) reject(closed())
      await Promise.all(making)
      return ready.splice(0)
    },
  }
}
