/**
 * Calls `act` when the signal fires, or at once if it has fired already. A listener that is added after that is never
 * called. So code that checks a signal, waits for something else and then listens could miss the signal and never end.
 * Returns a function that stops listening.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted === true) act()
  else signal?.addEventListener('abort', act, { once: true })
  return () => signal?.removeEventListener('abort', act)
}
