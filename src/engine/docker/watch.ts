import { keepVigil, type Vigil } from './vigil.ts'

/** What may end a call before its time: its signal, its deadline, the source of what it sends, or a failed vigil. */
export interface Watch {
  /** Set once the call was ended; `reason` is what it rejects with. */
  readonly ended: { readonly reason: unknown } | undefined
  end(reason: unknown): void
  /** Runs it when the call is ended, at once if it was; takes the place of the one before. */
  whenEnded(stop: () => void): void
  /** Tells how far the call has come: a number that changes whenever something goes over its connection. */
  measure(progress: () => number): void
  /** The deadline no longer counts, the signal still does; from now on it is the vigil that notices a dead engine. */
  stopClock(): void
  /** The call is over: nothing can end it any more. */
  release(): void
}

export interface WatchedCall {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
  /** Kept while there is no deadline; undefined for a call that always has one. */
  readonly vigil: Vigil | undefined
  onTimeout(): unknown
}

export function watchCall({ signal, timeoutMs, vigil, onTimeout }: WatchedCall): Watch {
  let ended: Watch['ended']
  let isReleased = false
  let stop = (): void => {}
  const end = (reason: unknown): void => {
    if (ended !== undefined || isReleased) return
    ended = { reason }
    stop()
  }
  const onAbort = (): void => end(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  // After one more turn of the loop: an answer that came while this process was busy counts as in time.
  const onClock = (): void => void setImmediate(() => clock !== undefined && end(onTimeout()))
  let clock = timeoutMs === undefined ? undefined : setTimeout(onClock, timeoutMs)
  let progress = (): number => 0
  let endVigil = (): void => {}
  const beginVigil = (): void => {
    if (vigil !== undefined && !isReleased) endVigil = keepVigil(vigil, () => progress(), end)
  }
  if (timeoutMs === undefined) beginVigil()
  return {
    get ended() {
      return ended
    },
    end,
    whenEnded(next) {
      stop = next
      if (ended !== undefined) next()
    },
    measure(measured) {
      progress = measured
    },
    stopClock() {
      if (clock === undefined) return
      clearTimeout(clock)
      clock = undefined
      beginVigil()
    },
    release() {
      isReleased = true
      clearTimeout(clock)
      clock = undefined
      endVigil()
      signal?.removeEventListener('abort', onAbort)
    },
  }
}
