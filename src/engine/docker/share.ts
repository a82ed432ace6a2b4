/**
 * Makes one call of many: those who ask while it runs share it, and those who ask later get its result. Who gives up
 * leaves at once; the call itself is ended when nobody waits for it any more. A failure is told to all who waited for
 * it and then forgotten.
 */
export function shareUntilAborted<T>(
  start: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal | undefined) => Promise<T> {
  let shared: { readonly result: Promise<T>; readonly control: AbortController; waiting: number } | undefined
  const begin = (): NonNullable<typeof shared> => {
    const control = new AbortController()
    const begun = { result: start(control.signal), control, waiting: 0 }
    begun.result.catch(() => {
      if (shared === begun) shared = undefined
    })
    return begun
  }
  return async (signal) => {
    signal?.throwIfAborted()
    shared ??= begin()
    const mine = shared
    mine.waiting++
    try {
      return await orAborted(mine.result, signal)
    } catch (error) {
      // The last one to leave: whoever comes now starts anew.
      if (mine.waiting === 1 && shared === mine) shared = undefined
      if (mine.waiting === 1) mine.control.abort()
      throw error
    } finally {
      mine.waiting--
    }
  }
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it fires. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
