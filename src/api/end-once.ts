import { untilAborted } from '../model/until-aborted.ts'
import { openLimit, readTimeout } from './timeout.ts'
import type { TimedOptions } from './types/options.ts'

/**
 * Work that is done once. A second call waits for the first, and a call after one that failed tries again. Each call has
 * its own time limit.
 */
export class EndOnce {
  #ending: { readonly promise: Promise<void>; readonly signal: AbortSignal } | undefined
  #isDone = false

  /** Whether the work has been done. */
  get isDone(): boolean {
    return this.#isDone
  }

  async run(
    work: (signal: AbortSignal) => Promise<void>,
    { signal, timeoutMs }: TimedOptions,
    defaultMs: () => Promise<number>,
  ): Promise<void> {
    signal?.throwIfAborted()
    const limitMs = timeoutMs === undefined ? await defaultMs() : readTimeout(timeoutMs, 0)
    using limit = openLimit(limitMs, { signal })
    for (;;) {
      limit.signal.throwIfAborted()
      this.#ending ??= { promise: this.#begin(work, limit.signal), signal: limit.signal }
      const { promise, signal: begun } = this.#ending
      try {
        await untilAborted(promise, limit.signal)
        return
      } catch (error) {
        // The time limit of the call that began the work does not apply to this call, which tries again.
        if (limit.signal.aborted || !begun.aborted) throw error
      }
    }
  }

  #begin(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const finish = (): void => {
      this.#isDone = true
    }
    return work(signal).then(finish, (error: unknown) => {
      this.#ending = undefined
      // The reason for the stop explains more than the error that followed it.
      throw signal.aborted ? signal.reason : error
    })
  }
}
