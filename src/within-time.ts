import { TestfleetError } from './model/failures.ts'
import type { Tools } from './tools.ts'

const minuteMs = 60_000

/** How long a bring-up may take, builds and pulls included. */
export const BRING_UP_TIMEOUT_MS = 30 * minuteMs

/** Node's timers count up to this, 24 days; one that is set to more fires at once. */
const MOST_TIMER_MS = 2 ** 31 - 1

/**
 * Ends work that is not done in time as its signal would, with TIMED_OUT: what it had begun is taken back as always.
 * `Infinity` is no limit. Fails with USAGE, before the work begins, for what no timer can count.
 */
export async function withinTime<Result>(
  timeoutMs: number,
  tools: Tools,
  work: (tools: Tools) => Promise<Result>,
): Promise<Result> {
  if (timeoutMs === Number.POSITIVE_INFINITY) return work(tools)
  if (!(timeoutMs > 0 && timeoutMs <= MOST_TIMER_MS)) {
    throw new TestfleetError('USAGE', `the timeout cannot be ${timeoutMs} ms`, {
      hint: `Set a number of milliseconds above 0 and up to ${MOST_TIMER_MS}, or Infinity for no limit.`,
    })
  }
  const stop = new AbortController()
  const clock = setTimeout(() => {
    const hint = 'Look at the events to see what takes so long, or set a longer timeout.'
    stop.abort(new TestfleetError('TIMED_OUT', `it was not done within ${timeoutMs / 1000} s`, { hint }))
  }, timeoutMs)
  try {
    return await work({ ...tools, signal: AbortSignal.any([tools.signal, stop.signal]) })
  } finally {
    clearTimeout(clock)
  }
}
