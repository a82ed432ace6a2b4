import { wordFileError } from '../../formats/word-error.ts'
import { isFailure } from '../../model/failures.ts'

/** Why something is not in the bundle, in a few words. */
export function wordProblem(error: unknown): string {
  if (isFailure(error)) return error.message
  if (error instanceof Error && error.name === 'TimeoutError') return 'there was no time left for it'
  return wordFileError(error)
}
