import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import { Refused } from './refusal.ts'

/**
 * Before each further try of a call that was broken off, or answered with an error of the engine itself. In all longer
 * than an engine that is ending goes on answering, with errors such as `database not open` (seen with 20.10).
 */
const pausesMs = [50, 150, 450, 1350]

/** An engine that was there and no longer is restarts: that takes some seconds. */
const restartMs = 15_000
const restartPauseMs = 250

export interface Repeats extends CallOptions {
  /** Whether it may be made twice, as twice leaves the engine as once does. */
  readonly isRepeatable: boolean
  /** Whether 500 and above means that the engine is unwell; to a call that changes something it may be a plain no. */
  readonly repeatsErrors: boolean
}

/**
 * Makes a call until it is answered, a few times; all tries share its deadline. A call that may not be made twice is
 * made once: whether it was done is then for its caller to find out.
 */
export async function repeat<T>(call: Repeats, attempt: (timeoutMs: number | undefined) => Promise<T>): Promise<T> {
  const tries = countTries(call)
  for (;;) {
    const begunAt = performance.now()
    try {
      return await attempt(tries.leftMs())
    } catch (error) {
      const pauseMs = tries.pauseAfter(error, performance.now() - begunAt)
      // Of what went wrong, the last says most: a deadline that ends in a pause is not told as one.
      if (pauseMs === undefined || pauseMs >= (tries.leftMs() ?? Number.POSITIVE_INFINITY)) throw error
      await pause(pauseMs, call.signal)
    }
  }
}

interface Tries {
  /** What is left of the call's deadline; undefined when it has none. */
  leftMs(): number | undefined
  /** Undefined when there is to be no further try. */
  pauseAfter(error: unknown, tookMs: number): number | undefined
}

function countTries(call: Repeats): Tries {
  const startedAt = performance.now()
  let count = 0
  let goneAt: number | undefined
  return {
    leftMs: () =>
      call.timeoutMs === undefined ? undefined : Math.max(1, call.timeoutMs - (performance.now() - startedAt)),
    pauseAfter(error, tookMs) {
      if (!call.isRepeatable) return undefined
      // A long wait that is broken off is not the end of a row of failures.
      if (tookMs > restartMs) {
        count = 0
        goneAt = undefined
      }
      if (isGone(error)) {
        goneAt ??= performance.now()
        return performance.now() - goneAt < restartMs ? restartPauseMs : undefined
      }
      const isWorthIt = isFailure(error, 'ENGINE_LOST') || (call.repeatsErrors && isError(error))
      return isWorthIt ? pausesMs[count++] : undefined
    },
  }
}

/** Nothing listens where the engine was. */
function isGone(error: unknown): boolean {
  if (!isFailure(error, 'ENGINE_LOST')) return false
  return ['ECONNREFUSED', 'ENOENT'].includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '')
}

function isError(error: unknown): boolean {
  return error instanceof Refused && error.status >= 500
}

/** Sleeps, or rejects with the signal's reason as soon as it fires. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { ...(signal && { signal }) }).catch(() => {
    throw signal?.reason
  })
}
