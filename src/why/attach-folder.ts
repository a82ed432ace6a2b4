import { constants } from 'node:fs'
import { access, lstat, open, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { wordFileError } from '../formats/word-error.ts'
import { EVENTS_FILE, WHY_FILE } from '../model/attached-file.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** First line of each text file, and of the events. A file that begins otherwise is never replaced. */
export const OWN_LINE = '# Written by testfleet after a command that failed'
export const OWN_EVENT = '{"kind":"attached","message":"Written by testfleet after a command that failed"}'

/**
 * Returns the absolute path of the folder that `--attach-logs` names; it need not exist yet. Fails with USAGE when files
 * cannot be written there, or when others are in their place.
 */
export async function checkAttachFolder(named: string, { workingFolder }: Pick<Host, 'workingFolder'>) {
  const refuse = (why: string): TestfleetError =>
    new TestfleetError('USAGE', `logs cannot be attached in ${JSON.stringify(named)}: ${why}`, {
      hint: 'Name a folder for them alone, such as test-logs.',
    })
  if (named === '') throw refuse('it is not the name of a folder')
  const folder = resolve(workingFolder, named)
  const there = await findExisting(folder).catch((error: unknown) => {
    throw refuse(wordFileError(error))
  })
  if (!(await stat(there)).isDirectory()) throw refuse(there === folder ? 'it is a file' : `${there} is a file`)
  await access(there, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw refuse(wordFileError(error))
  })
  for (const file of [WHY_FILE, EVENTS_FILE]) {
    if (there === folder && !(await mayReplace(join(folder, file)))) throw refuse(`another file ${file} is there`)
  }
  return folder
}

/** The folder itself, or the nearest one above it that exists. */
async function findExisting(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    return findExisting(dirname(path))
  }
}

/**
 * Whether nothing is at a path, or a file that an earlier call has attached. An empty file is not: an application may
 * be about to write its own log. Links are not followed.
 */
export async function mayReplace(path: string): Promise<boolean> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (stats === undefined) return true
  if (!stats.isFile()) return false
  await using file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  const first = `${basename(path) === EVENTS_FILE ? OWN_EVENT : OWN_LINE}\n`
  const { buffer, bytesRead } = await file.read(Buffer.alloc(first.length), 0, first.length, 0)
  return buffer.toString('utf8', 0, bytesRead) === first
}
