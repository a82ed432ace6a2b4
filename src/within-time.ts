import { TestfleetError } from './model/failures.ts'
import type { Tools } from './tools.ts'

const minuteMs = 60_000

/** How long a bring-up may take, builds and pulls included. */
export const BRING_UP_TIMEOUT_MS = 30 * minuteMs

/** A timer that is to count further fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Returns it. Fails with USAGE for what is no time. */
export function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0) return timeoutMs
  throw new TestfleetError('USAGE', `timeoutMs takes more than nothing; not ${timeoutMs}`)
}

/** Ends work that is not done in time as its signal would, with TIMED_OUT: what it had begun is taken back as always. */
export async function withinTime<Result>(
  timeoutMs: number,
  tools: Tools,
  work: (tools: Tools) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController()
  const end = (): void => {
    const message = `it was not done within ${timeoutMs / 1000} s`
    const hint = 'Look at the events to see what takes so long, or set a longer timeout.'
    stop.abort(new TestfleetError('TIMED_OUT', message, { hint }))
  }
  const clock = timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(end, timeoutMs)
  try {
    return await work({ ...tools, signal: AbortSignal.any([tools.signal, stop.signal]) })
  } finally {
    clearTimeout(clock)
  }
}
