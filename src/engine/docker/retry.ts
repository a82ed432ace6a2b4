import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import { Refused } from './errors.ts'

/**
 * Pauses before each further try of a request that broke off, or that the engine answered with an error of its own.
 * Their sum is longer than a stopping engine answers with errors such as `database not open` (seen with 20.10).
 */
const pausesMs = [50, 150, 450, 1350]

/** An engine that was there and is gone is restarting, which takes some seconds. */
const restartMs = 15_000
const restartPauseMs = 250

export interface RetryPolicy extends CallOptions {
  /** Whether the request may be made twice: twice leaves the engine as once does. */
  readonly isRepeatable: boolean
  /** Whether status 500 and above means that the engine is unwell. To a request that changes something it may be a plain no. */
  readonly retriesServerErrors: boolean
}

/**
 * Makes a request until it is answered, a few times; all tries share its deadline. A request that may not be made twice
 * is made once: its caller has to find out whether it took effect.
 */
export async function retry<T>(
  { isRepeatable, retriesServerErrors, timeoutMs, signal }: RetryPolicy,
  attempt: (timeoutMs: number | undefined) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now()
  let count = 0
  let goneAt: number | undefined
  const leftMs = (): number | undefined =>
    timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - (performance.now() - startedAt))
  const pauseAfter = (error: unknown): number | undefined => {
    if (isGone(error)) {
      goneAt ??= performance.now()
      return performance.now() - goneAt < restartMs ? restartPauseMs : undefined
    }
    const isWorthIt = isFailure(error, 'ENGINE_LOST') || (retriesServerErrors && isServerError(error))
    return isWorthIt ? pausesMs[count++] : undefined
  }
  for (;;) {
    const begunAt = performance.now()
    try {
      return await attempt(leftMs())
    } catch (error) {
      if (!isRepeatable) throw error
      // A long wait that breaks off does not belong to the failures before it.
      if (performance.now() - begunAt > restartMs) {
        count = 0
        goneAt = undefined
      }
      const pauseMs = pauseAfter(error)
      // The last failure says most: a deadline that passes during a pause is not reported as a timeout.
      if (pauseMs === undefined || pauseMs >= (leftMs() ?? Number.POSITIVE_INFINITY)) throw error
      await pause(pauseMs, signal)
    }
  }
}

/** Whether nothing listens any more where the engine was. */
function isGone(error: unknown): boolean {
  if (!isFailure(error, 'ENGINE_LOST')) return false
  return ['ECONNREFUSED', 'ENOENT'].includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '')
}

function isServerError(error: unknown): boolean {
  return error instanceof Refused && error.status >= 500
}

/** Sleeps, or rejects with the signal's reason as soon as it fires. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { ...(signal && { signal }) }).catch(() => {
    throw signal?.reason
  })
}
