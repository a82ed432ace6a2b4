/** Things that are made before they are asked for. */
export interface Stock<Thing> {
  /** Resolves with one that nobody has had; those who wait are served in turn. Rejects as `make` does. */
  take(signal?: AbortSignal): Promise<Thing>
  /** Makes no more, and resolves with those that nobody has taken. */
  close(): Promise<readonly Thing[]>
}

interface Waiter<Thing> {
  resolve(thing: Thing): void
  reject(reason: unknown): void
}

/**
 * Keeps `size` things ready. After a failure it makes more only when one is asked for. `closed` makes the failure of those who
 * ask or wait after the end.
 */
export function openStock<Thing>(size: number, make: () => Promise<Thing>, closed: () => Error): Stock<Thing> {
  const ready: Thing[] = []
  const waiting: Waiter<Thing>[] = []
  const making = new Set<Promise<void>>()
  let isClosed = false

  function fill(): void {
    while (!isClosed && making.size < waiting.length + size - ready.length) {
      const one = makeOne().finally(() => making.delete(one))
      making.add(one)
    }
  }

  async function makeOne(): Promise<void> {
    try {
      const thing = await make()
      const waiter = waiting.shift()
      if (waiter === undefined) ready.push(thing)
      else waiter.resolve(thing)
    } catch (error) {
      for (const { reject } of waiting.splice(0)) reject(error)
    }
  }

  fill()
  return {
    async take(signal) {
      signal?.throwIfAborted()
      if (isClosed) throw closed()
      const thing = ready.shift()
      if (thing !== undefined) {
        fill()
        return thing
      }
      const { promise, ...waiter } = Promise.withResolvers<Thing>()
      const leave = (): void => {
        const at = waiting.indexOf(waiter)
        if (at !== -1) waiting.splice(at, 1)
        waiter.reject(signal?.reason)
      }
      waiting.push(waiter)
      signal?.addEventListener('abort', leave, { once: true })
      fill()
      try {
        return await promise
      } finally {
        signal?.removeEventListener('abort', leave)
      }
    },
    async close() {
      isClosed = true
      for (const { reject } of waiting.splice(0)) reject(closed())
      await Promise.all(making)
      return ready.splice(0)
    },
  }
}
