import { onAbort } from './on-abort.ts'

/** Settles as the promise does, or rejects with the reason of the signal as soon as that fires. */
export async function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const stopListening = onAbort(signal, () => aborted.reject(signal.reason))
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    stopListening()
  }
}
