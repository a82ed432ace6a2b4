import { openLimit, readTimeout } from './timeout.ts'
import type { TimedOptions } from './types/options.ts'

/**
 * Work that is done once. A second call waits for the first, and a call after one that failed tries again. Each call has
 * its own time limit.
 */
export class EndOnce {
  #ending: Promise<void> | undefined

  async run(
    work: (signal: AbortSignal) => Promise<void>,
    { signal, timeoutMs }: TimedOptions,
    defaultMs: () => Promise<number>,
  ): Promise<void> {
    signal?.throwIfAborted()
    const limitMs = timeoutMs === undefined ? await defaultMs() : readTimeout(timeoutMs, 0)
    using limit = openLimit(limitMs, { signal })
    const ending = this.#ending ?? this.#begin(work, limit.signal)
    await whicheverIsFirst(ending, limit.signal)
  }

  #begin(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const ending = work(signal).catch((error: unknown) => {
      this.#ending = undefined
      // What stopped it says more than what it stumbled over then.
      throw signal.aborted ? signal.reason : error
    })
    this.#ending = ending
    return ending
  }
}

async function whicheverIsFirst(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal })
  })
  try {
    await Promise.race([work, ended])
  } finally {
    stop.abort()
  }
}
