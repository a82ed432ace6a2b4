import { type FSWatcher, watch } from 'node:fs'
import { TestfleetError } from '../../model/failures.ts'
import { onAbort } from '../../model/on-abort.ts'
import { undefinedIfGone } from './store.ts'

export interface WatchOptions {
  readonly signal?: AbortSignal | undefined
  /** ENGINE_TIMEOUT after that. Default: none. */
  readonly timeoutMs?: number | undefined
  /** What is waited for, for the message of that failure. */
  readonly what?: string
  /** How often to look even if nothing changes in the folder, for what leaves no trace there. Default: 2 seconds. */
  readonly everyMs?: number
}

const EVERY_MS = 2000
const OFTEN_MS = 50

/**
 * Calls `look` now, and whenever an entry of the folder changes, until it returns something. The watch begins before the
 * first look, so that no change is missed. `name` limits it to one entry. Looks often while there is no such folder.
 */
export async function watchUntil<T>(
  folder: string,
  name: string | undefined,
  look: () => Promise<T | undefined>,
  { signal, timeoutMs, what = 'a change', everyMs = EVERY_MS }: WatchOptions = {},
): Promise<T> {
  signal?.throwIfAborted()
  const watcher = watchIfThere(folder)
  const stop: (() => void)[] = [() => watcher?.close()]
  try {
    return await new Promise<T>((resolve, reject) => {
      let [isLooking, isStale] = [false, false]
      const lookNow = async (): Promise<void> => {
        isStale = true
        if (isLooking) return
        isLooking = true
        try {
          while (isStale) {
            isStale = false
            const found = await look()
            if (found !== undefined) return resolve(found)
          }
        } catch (error) {
          reject(error)
        } finally {
          isLooking = false
        }
      }
      watcher?.on('change', (_, changed) => {
        if (name === undefined || changed === null || changed === name) void lookNow()
      })
      watcher?.on('error', reject)
      const timer = setInterval(() => void lookNow(), watcher === undefined ? OFTEN_MS : everyMs)
      stop.push(() => clearInterval(timer))
      if (timeoutMs !== undefined) {
        const late = (): void =>
          reject(new TestfleetError('ENGINE_TIMEOUT', `${what} did not happen within ${timeoutMs / 1000} s`))
        const clock = setTimeout(late, timeoutMs)
        stop.push(() => clearTimeout(clock))
      }
      stop.push(onAbort(signal, () => reject(signal?.reason)))
      void lookNow()
    })
  } finally {
    for (const act of stop) act()
  }
}

function watchIfThere(folder: string): FSWatcher | undefined {
  try {
    return watch(folder)
  } catch (error) {
    return undefinedIfGone(error as NodeJS.ErrnoException)
  }
}
