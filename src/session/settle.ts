import { wordError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'

/** The errors of those that failed, once all have ended. */
export async function settleAll(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises)
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
}

export function cleanupFailed(
  errors: readonly unknown[],
  hint = 'Call `testfleet down` again once the engine answers.',
): TestfleetError {
  const messages = errors.map(wordError)
  return new TestfleetError('CLEANUP_FAILED', `not everything could be removed: ${messages.join('; ')}`, {
    hint,
    cause: new AggregateError(errors),
  })
}
