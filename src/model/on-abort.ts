/**
 * Calls `act` when the signal fires, or at once if it has fired already. A listener that is added after that is never
 * called, so code that waits for something between looking at a signal and listening to it could wait for ever. Returns a
 * function that stops listening.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted === true) act()
  else signal?.addEventListener('abort', act, { once: true })
  return () => signal?.removeEventListener('abort', act)
}
