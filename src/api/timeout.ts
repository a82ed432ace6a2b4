import { TestfleetError } from '../model/failures.ts'
import type { CallOptions } from './types/options.ts'

const minuteMs = 60_000

/** Default time limit of a bring-up, including builds and pulls. */
export const BRING_UP_TIMEOUT_MS = 30 * minuteMs

/** Longest delay of a Node timer; a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The time limit of a call, in milliseconds: 0 is none, as Infinity is. Fails with USAGE. */
export function readTimeout(timeoutMs: number | undefined, defaultMs: number): number {
  if (timeoutMs === undefined) return defaultMs
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0))
    throw new TestfleetError('USAGE', `a time limit is a number of milliseconds that is not negative, not ${timeoutMs}`)
  return timeoutMs === 0 ? Number.POSITIVE_INFINITY : timeoutMs
}

/** Cancels work that takes too long, with TIMED_OUT. What it had begun is undone, as on any abort. */
export async function withTimeout<Given extends { readonly signal: AbortSignal }, Result>(
  timeoutMs: number,
  given: Given,
  work: (limited: Given) => Promise<Result>,
): Promise<Result> {
  using limit = openLimit(timeoutMs, given)
  return await work({ ...given, signal: limit.signal })
}

interface Limit extends Disposable {
  /** Fires with the caller's signal, and when the time is over. */
  readonly signal: AbortSignal
}

/** Starts to count. Infinity never ends. */
export function openLimit(timeoutMs: number, { signal }: CallOptions): Limit {
  const stop = new AbortController()
  const endsAtMs = performance.now() + timeoutMs
  let timer: NodeJS.Timeout | undefined
  const arm = (): void => {
    const leftMs = endsAtMs - performance.now()
    if (leftMs > 0) timer = setTimeout(arm, Math.min(leftMs, LONGEST_TIMER_MS))
    else stop.abort(timedOut(timeoutMs))
  }
  if (timeoutMs !== Number.POSITIVE_INFINITY) arm()
  return {
    signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

function timedOut(timeoutMs: number): TestfleetError {
  return new TestfleetError('TIMED_OUT', `the call took longer than ${timeoutMs / 1000} s`, {
    hint: 'Look at the events to see what takes so long, or set a longer timeout.',
  })
}
