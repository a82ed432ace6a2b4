/** What may end a call before its time: its signal, its deadline, or the source of what it sends. */
export interface Watch {
  /** Set once the call was ended; `reason` is what it rejects with. */
  readonly ended: { readonly reason: unknown } | undefined
  end(reason: unknown): void
  /** Runs it when the call is ended, at once if it was; takes the place of the one before. */
  whenEnded(stop: () => void): void
  /** The deadline no longer counts, the signal still does. */
  stopClock(): void
  /** The call is over: nothing can end it any more. */
  release(): void
}

export interface WatchedCall {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
  onTimeout(): unknown
}

export function watchCall({ signal, timeoutMs, onTimeout }: WatchedCall): Watch {
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
  const stopClock = (): void => {
    clearTimeout(clock)
    clock = undefined
  }
  return {
    get ended() {
      return ended
    },
    end,
    whenEnded(next) {
      stop = next
      if (ended !== undefined) next()
    },
    stopClock,
    release() {
      isReleased = true
      stopClock()
      signal?.removeEventListener('abort', onAbort)
    },
  }
}
