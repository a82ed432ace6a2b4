/**
 * Puts calls of the same moment together: thirty servers that start at once then need one program instead of thirty. Calls
 * that come while it runs wait for the next one. Only calls with the same key are put together.
 */
export function together<Key extends object, Request, Result>(
  run: (key: Key, requests: readonly Request[]) => Promise<readonly Promise<Result>[]>,
): (key: Key, request: Request) => Promise<Result> {
  interface Batch {
    readonly requests: Request[]
    readonly results: Promise<readonly Promise<Result>[]>
  }
  const waiting = new Map<Key, Batch>()
  const last = new Map<Key, Promise<unknown>>()
  const begin = (key: Key): Batch => {
    const requests: Request[] = []
    const results = (async () => {
      // The next turn of the event loop, so that all calls of this one are in.
      await Promise.all([last.get(key), new Promise(setImmediate)])
      waiting.delete(key)
      return run(key, requests)
    })()
    const ended = results.catch(() => {})
    last.set(key, ended)
    void ended.then(() => {
      if (last.get(key) === ended) last.delete(key)
    })
    const batch = { requests, results }
    waiting.set(key, batch)
    return batch
  }
  return async (key, request) => {
    const { requests, results } = waiting.get(key) ?? begin(key)
    const at = requests.push(request) - 1
    return (await results)[at] as Promise<Result>
  }
}
