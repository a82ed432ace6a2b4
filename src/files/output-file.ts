import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** A file that a call writes besides its work. */
export interface OutputFile {
  /** Words for it, such as `the timeline`. */
  readonly what: string
  /** A name for it, such as `timeline.html`. */
  readonly example: string
}

/** Returns the absolute path of a file to write. Fails with USAGE when no file can be created there. */
export async function resolveOutputFile(
  file: string,
  { what, example }: OutputFile,
  { workingFolder }: Pick<Host, 'workingFolder'>,
): Promise<string> {
  const path = resolve(workingFolder, file)
  const refuse = (why: string): TestfleetError =>
    new TestfleetError('USAGE', `${what} cannot be written to ${JSON.stringify(file)}: ${why}`, {
      hint: `Name a file, such as ${example}, in a folder that exists.`,
    })
  if (file === '' || file.endsWith('/')) throw refuse('it is not a file name')
  const parent = await stat(dirname(path)).catch(() => undefined)
  if (parent?.isDirectory() !== true) throw refuse('its folder does not exist')
  const there = await stat(path).catch(() => undefined)
  if (there !== undefined && !there.isFile()) throw refuse('it exists and is not a file')
  return path
}
