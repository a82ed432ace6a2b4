import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from '../../model/failures.ts'
import { onAbort } from '../../model/on-abort.ts'
import type { CallOptions } from '../engine.ts'
import { Refused } from './errors.ts'

/** Pings the engine during a request that may be silent for a long time. */
export interface PingWatch {
  /** How long the request may be silent before the engine is pinged. */
  readonly silenceMs: number
  /** Pings the engine. Rejects with the failure for the silent request. */
  ping(signal: AbortSignal): Promise<void>
}

/** Reasons for which a request can end early. */
export interface Limits {
  readonly signal: AbortSignal | undefined
  /** Deadline; undefined when only the signal and the ping watch can end the request. */
  readonly timeoutMs: number | undefined
  /** Used while no deadline runs; undefined for a request that always has a deadline. */
  readonly pingWatch: PingWatch | undefined
  /** Returns the failure of a request whose deadline has passed. */
  timeoutFailure(): unknown
}

/** Ends one request early: by its signal, its deadline, a failed ping, or `end`. */
export interface Deadline {
  /** Set once the request was ended; `reason` is what it rejects with. */
  readonly ended: { readonly reason: unknown } | undefined
  end(reason: unknown): void
  /** Calls `stop` when the request is ended, or now if it was. Replaces the previous `stop`. */
  onEnd(stop: () => void): void
  /** Sets how progress is measured: by a number that changes with every byte on the connection. */
  measureProgress(progress: () => number): void
  /** Stops the deadline. The signal still works, and the ping watch begins. */
  stopClock(): void
  /** Marks the request as finished: nothing can end it any more. */
  release(): void
}

export function startDeadline({ signal, timeoutMs, pingWatch, timeoutFailure }: Limits): Deadline {
  let ended: Deadline['ended']
  let isReleased = false
  let stop = (): void => {}
  const end = (reason: unknown): void => {
    if (ended !== undefined || isReleased) return
    ended = { reason }
    stop()
  }
  const stopListening = onAbort(signal, () => end(signal?.reason))
  // One turn of the event loop later: an answer that arrived while this process was busy counts as in time.
  const onClock = (): void => void setImmediate(() => clock !== undefined && end(timeoutFailure()))
  let clock = timeoutMs === undefined ? undefined : setTimeout(onClock, timeoutMs)
  let progress = (): number => 0
  let stopPings = (): void => {}
  const startPings = (): void => {
    if (pingWatch !== undefined && !isReleased) stopPings = pingWhileSilent(pingWatch, () => progress(), end)
  }
  if (timeoutMs === undefined) startPings()
  return {
    get ended() {
      return ended
    },
    end,
    onEnd(next) {
      stop = next
      if (ended !== undefined) next()
    },
    measureProgress(measured) {
      progress = measured
    },
    stopClock() {
      if (clock === undefined) return
      clearTimeout(clock)
      clock = undefined
      startPings()
    },
    release() {
      isReleased = true
      clearTimeout(clock)
      clock = undefined
      stopPings()
      stopListening()
    },
  }
}

/** Pings after each period in which `progress` did not change. Returns a function that stops the pings. */
function pingWhileSilent(watch: PingWatch, progress: () => number, end: (reason: unknown) => void): () => void {
  const stopped = new AbortController()
  let clock: NodeJS.Timeout | undefined
  let seen = progress()
  const wait = (): void => {
    if (!stopped.signal.aborted) clock = setTimeout(look, watch.silenceMs)
  }
  const look = (): void => {
    const now = progress()
    if (now === seen) {
      watch.ping(stopped.signal).then(wait, (reason: unknown) => {
        if (!stopped.signal.aborted) end(reason)
      })
      return
    }
    seen = now
    wait()
  }
  wait()
  return () => {
    clearTimeout(clock)
    stopped.abort()
  }
}

/**
 * Pauses before repeating a request whose connection broke, or that failed with an error of the engine itself. In total
 * they are longer than a stopping engine answers with errors such as `database not open` (seen with 20.10).
 */
const pausesMs = [50, 150, 450, 1350]

/** Time for a restart of an engine that was there and is gone. */
const restartMs = 15_000
const restartPauseMs = 250

export interface RetryPolicy extends CallOptions {
  /** Whether a repeated request has no further effect. */
  readonly isRepeatable: boolean
  /**
   * Whether a status of 500 and above means that the engine is in trouble. For a request that changes something, it may
   * be a plain refusal.
   */
  readonly retriesServerErrors: boolean
}

/**
 * Repeats a request until it is answered, up to a limit; all tries share one deadline. A request that must not be
 * repeated is made only once: its caller has to find out whether it took effect.
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
      // After a long wait, earlier failures do not count.
      if (performance.now() - begunAt > restartMs) {
        count = 0
        goneAt = undefined
      }
      const pauseMs = pauseAfter(error)
      // The last failure is the most useful one, so a deadline that ends during a pause is not reported as a timeout.
      if (pauseMs === undefined || pauseMs >= (leftMs() ?? Number.POSITIVE_INFINITY)) throw error
      await pause(pauseMs, signal)
    }
  }
}

/** Whether nothing listens at the engine's address any more. */
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
