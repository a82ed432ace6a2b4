import { TestfleetError } from './model/failures.ts'
import type { Tools } from './tools.ts'

const minuteMs = 60_000

/** How long a bring-up may take, builds and pulls included. */
export const BRING_UP_TIMEOUT_MS = 30 * minuteMs

/** Ends work that is not done in time as its signal would, with TIMED_OUT: what it had begun is taken back as always. */
export async function withinTime<Result>(
  timeoutMs: number,
  tools: Tools,
  work: (tools: Tools) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController()
  const clock = setTimeout(() => {
    const message = `it was not done within ${timeoutMs / 1000} s`
    const hint = '--verbose shows what takes so long; --timeout DURATION gives it more time.'
    stop.abort(new TestfleetError('TIMED_OUT', message, { hint }))
  }, timeoutMs)
  try {
    return await work({ ...tools, signal: AbortSignal.any([tools.signal, stop.signal]) })
  } finally {
    clearTimeout(clock)
  }
}
