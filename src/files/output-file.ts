import { access, constants, open, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** A file that a call writes besides its work. */
export interface OutputFile {
  /** Words for it, such as `the timeline`. */
  readonly what: string
  /** A name for it, such as `timeline.html`. */
  readonly example: string
  /** Whether a file that begins so was written by an earlier call, which this one may replace. */
  isOwn(start: Buffer): boolean
}

/**
 * Returns the absolute path of a file to write. Fails with USAGE when no file can be created there, or when there is a
 * file of another kind, such as the fleet file.
 */
export async function resolveOutputFile(
  file: string,
  output: OutputFile,
  { workingFolder }: Pick<Host, 'workingFolder'>,
): Promise<string> {
  const path = resolve(workingFolder, file)
  const refuse = (why: string): TestfleetError =>
    new TestfleetError('USAGE', `${output.what} cannot be written to ${JSON.stringify(file)}: ${why}`, {
      hint: `Name a file, such as ${output.example}, in a folder that exists.`,
    })
  if (file === '' || file.endsWith('/')) throw refuse('it is not a file name')
  const parent = await stat(dirname(path)).catch(() => undefined)
  if (parent?.isDirectory() !== true) throw refuse('its folder does not exist')
  await requireWritableFolder(path).catch((error: unknown) => {
    throw refuse(wordFileError(error))
  })
  const there = await stat(path).catch(() => undefined)
  if (there !== undefined && !there.isFile()) throw refuse('it exists and is not a file')
  await refuseOtherFile(path, file, output)
  return path
}

/**
 * Rejects with the error of the file system when no file can be created in the folder of this path. Called before the work
 * whose result goes there.
 */
export function requireWritableFolder(path: string): Promise<void> {
  // With `/.`, a file in place of the folder is an error, too.
  return access(`${dirname(path)}/.`, constants.W_OK | constants.X_OK)
}

/** Fails with USAGE for a file that is not empty and of another kind than the one to write. `named` is its name for people. */
export async function refuseOtherFile(
  path: string,
  named: string,
  { what, isOwn }: Pick<OutputFile, 'what' | 'isOwn'>,
): Promise<void> {
  const start = await readStart(path)
  if (start.length === 0 || isOwn(start)) return
  const message = `${what} cannot be written to ${JSON.stringify(named)}: another file is there`
  throw new TestfleetError('USAGE', message, { hint: 'Name another file, or remove that one.' })
}

const START_BYTES = 4096

/** Empty when it is no file or cannot be read: writing it says why. */
async function readStart(path: string): Promise<Buffer> {
  try {
    if (!(await stat(path)).isFile()) return Buffer.alloc(0)
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } catch {
    return Buffer.alloc(0)
  }
}
