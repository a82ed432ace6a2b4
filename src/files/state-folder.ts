import { chmod, lstat, mkdir, writeFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { findUntrusted } from './ownership.ts'
import { replaceFile } from './replace-file.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

/** Folder for state that outlasts a call. */
export function stateFolder(host: Host): string {
  const { environment, homeFolder, platform } = host
  const { TESTFLEET_STATE_DIR: own, XDG_STATE_HOME: shared, LOCALAPPDATA: local } = environment
  if (own) return isAbsolute(own) ? own : join(host.workingFolder, own)
  if (shared && isAbsolute(shared)) return join(shared, 'testfleet')
  if (platform === 'darwin') return join(homeFolder, 'Library/Application Support/testfleet')
  if (platform === 'win32') return join(local ?? join(homeFolder, 'AppData/Local'), 'testfleet/State')
  return join(homeFolder, '.local/state/testfleet')
}

/**
 * Runs `work` in the state folder. Fails with STATE_FOLDER_UNUSABLE on file system errors, and when another user could
 * put keys into the folder.
 */
export async function inStateFolder<Result>(host: Host, work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = stateFolder(host)
  try {
    const why = findStranger(folder, host)
    if (why !== undefined) throw unusable(folder, why)
    return await work(folder)
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).syscall !== 'string') throw error
    throw unusable(folder, wordFileError(error), error)
  }
}

/** Explains how another user could write to the folder; undefined when nobody can. */
function findStranger(folder: string, { userId, platform }: Host): string | undefined {
  if (platform === 'win32' || userId === undefined) return undefined
  const found = findUntrusted(join(resolve(folder), 'key'), [userId, 0])
  if (found === undefined) return undefined
  return found.isWritable ? `others can write to ${found.path}` : `${found.path} belongs to another user`
}

/** Creates a folder that only this user can read. Fails with STATE_FOLDER_UNUSABLE when it belongs to another user. */
export async function makePrivateFolder(path: string, { userId, platform }: Host): Promise<void> {
  await mkdir(path, { recursive: true, mode: FOLDER_MODE })
  if (platform === 'win32') return
  const { uid, mode } = await lstat(path)
  if (userId !== undefined && uid !== userId) throw unusable(path, 'it belongs to another user')
  if ((mode & 0o077) !== 0) await chmod(path, FOLDER_MODE)
}

/** Writes a file that only its owner can read, atomically. */
export function savePrivateFile(path: string, text: string): Promise<void> {
  return replaceFile(path, (beside) => writeFile(beside, text, { mode: FILE_MODE, flag: 'wx' }))
}

function unusable(folder: string, why: string, cause?: unknown): TestfleetError {
  return new TestfleetError('STATE_FOLDER_UNUSABLE', `the keys of the fleet cannot be stored in ${folder}: ${why}`, {
    hint: 'Set TESTFLEET_STATE_DIR to a folder that only you can write to.',
    cause,
  })
}
