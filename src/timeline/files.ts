import { open, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { getSystemErrorMessage } from 'node:util'
import { replaceFile } from '../files/replace-file.ts'
import { wordError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** Returns the absolute path of a timeline. Fails with USAGE when no file can be created there. */
export async function resolveTimeline(file: string, { workingFolder }: Pick<Host, 'workingFolder'>): Promise<string> {
  const path = resolve(workingFolder, file)
  const refuse = (why: string): TestfleetError =>
    new TestfleetError('USAGE', `the timeline cannot be written to ${JSON.stringify(file)}: ${why}`, {
      hint: 'Name a file, such as timeline.html, in a folder that exists.',
    })
  if (file === '' || file.endsWith('/')) throw refuse('it is not a file name')
  const parent = await stat(dirname(path)).catch(() => undefined)
  if (parent?.isDirectory() !== true) throw refuse('its folder does not exist')
  const there = await stat(path).catch(() => undefined)
  if (there !== undefined && !there.isFile()) throw refuse('it exists and is not a file')
  return path
}

/** Replaces the file, for its user alone. Returns why it could not be written. */
export async function saveTimeline(path: string, text: string): Promise<string | undefined> {
  try {
    await replaceFile(path, async (beside) => {
      await using handle = await open(beside, 'wx', 0o600)
      await handle.writeFile(text)
    })
    return undefined
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException
    return errno === undefined ? wordError(error) : getSystemErrorMessage(errno)
  }
}
