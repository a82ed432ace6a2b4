import { wordFileError } from '../../../formats/word-error.ts'
import { TestfleetError } from '../../../model/failures.ts'
import { codeOf, toText } from './descriptors.ts'
import { UnpackError } from './unpack.ts'

export function noSuchPath(path: string, container: string): TestfleetError {
  return new TestfleetError('NOT_FOUND', `there is no ${path} in the container ${container}`)
}

/** Returns the failure for an error of the file system while an archive is unpacked; others stay as they are. */
export function explainWriting(error: unknown): unknown {
  if (!(error instanceof UnpackError)) return error
  const path = toText(error.path)
  const { cause } = error
  if (codeOf(cause) === 'EBUSY') {
    return new TestfleetError('ENGINE_REFUSED', `${path} is a mount, which cannot be replaced`, {
      hint: 'Write into it with a program of the server instead.',
      cause,
    })
  }
  return new TestfleetError('ENGINE_REFUSED', `${path} cannot be written: ${wordFileError(cause)}`, {
    hint: hintFor(cause),
    cause,
  })
}

/** The same for what is read. */
export function explainReading(error: unknown, path: string): unknown {
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error
  return new TestfleetError('ENGINE_REFUSED', `${path} cannot be read: ${wordFileError(error)}`, { cause: error })
}

function hintFor(error: unknown): string | undefined {
  return /^(?:ENOSPC|EDQUOT)$/.test(codeOf(error))
    ? 'Free space on the disk, or give the volume or the memory file system of the server more.'
    : undefined
}
