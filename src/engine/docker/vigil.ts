/** For calls that may rightly be silent for long: whether the engine is still there is asked of it beside them. */
export interface Vigil {
  readonly silenceMs: number
  /** Rejects with what the silent call has to end with. */
  ask(signal: AbortSignal): Promise<void>
}

/** Asks after each silence, which is a time in which `progress` has not changed. Returns what ends the vigil. */
export function keepVigil(vigil: Vigil, progress: () => number, end: (reason: unknown) => void): () => void {
  const over = new AbortController()
  let clock: NodeJS.Timeout | undefined
  let seen = progress()
  const wait = (): void => {
    if (!over.signal.aborted) clock = setTimeout(look, vigil.silenceMs)
  }
  const look = (): void => {
    const now = progress()
    if (now === seen) {
      vigil.ask(over.signal).then(wait, (reason: unknown) => {
        if (!over.signal.aborted) end(reason)
      })
      return
    }
    seen = now
    wait()
  }
  wait()
  return () => {
    clearTimeout(clock)
    over.abort()
  }
}
