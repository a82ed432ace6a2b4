import { setTimeout as sleep } from 'node:timers/promises'

/** Drops things in the background until they are gone. */
export interface Dropper {
  /** Number of things that are not gone yet. */
  readonly left: number
  /** Resolves after the first attempt, whether or not it has succeeded. */
  drop(thing: string): Promise<void>
  /** Resolves when everything is gone, or could not be dropped even now. */
  close(): Promise<void>
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/** A drop that fails is tried again: after a pause, which doubles each time, and for the last time when the dropper closes. */
export function openDropper(drop: (thing: string) => Promise<void>, firstPauseMs: number = FIRST_PAUSE_MS): Dropper {
  const left = new Set<string>()
  const busy = new Set<Promise<void>>()
  const stop = new AbortController()

  async function dropInTime(thing: string, onTried: () => void): Promise<void> {
    for (let pauseMs = firstPauseMs; !stop.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await drop(thing)
        left.delete(thing)
        return
      } catch {
        onTried()
        await sleep(pauseMs, undefined, { signal: stop.signal, ref: false }).catch(() => {})
      }
    }
  }

  return {
    get left() {
      return left.size
    },
    drop(thing) {
      left.add(thing)
      const tried = Promise.withResolvers<void>()
      const one: Promise<void> = dropInTime(thing, tried.resolve).finally(() => {
        busy.delete(one)
        tried.resolve()
      })
      busy.add(one)
      return tried.promise
    },
    async close() {
      stop.abort()
      await Promise.all(busy)
      await Promise.allSettled(
        [...left].map(async (thing) => {
          await drop(thing)
          left.delete(thing)
        }),
      )
    },
  }
}
