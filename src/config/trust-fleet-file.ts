import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { findUntrusted } from '../files/ownership.ts'
import { isInside, showPath } from '../formats/paths.ts'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { say } from '../model/surface.ts'

/** Returns whether a fleet file is data, and not a module. */
export function isTextFile(path: string): boolean {
  return ['.yaml', '.yml', '.json'].includes(extname(path))
}

/** Where a fleet file was found, and the same path with all links followed. */
interface FoundFile {
  readonly path: string
  readonly realPath: string
}

/** Who calls testfleet, and where. */
export type Caller = Pick<Host, 'workingFolder'> & Partial<Pick<Host, 'userId' | 'environment'>>

/**
 * Checks that a fleet file that was found, not named, may decide what runs on this machine: only the caller and root can
 * have written it, and a module is part of the project that the caller works in. Fails with FLEET_FILE_NOT_TRUSTED.
 */
export function trustFoundFile({ path, realPath }: FoundFile, host: Caller): void {
  const { workingFolder, userId } = host
  const refuse = (why: string): TestfleetError =>
    new TestfleetError('FLEET_FILE_NOT_TRUSTED', `${showPath(path, workingFolder)} is not trusted: ${why}`, {
      hint: `If you would run it as a program of your own, name it: ${say('file', path)}`,
    })
  // Windows has no user ids.
  const why = userId === undefined ? undefined : findDistrust(path, listTrustedUsers(userId, host))
  if (why !== undefined) throw refuse(why)
  if (isTextFile(path)) return
  const project = findProject(workingFolder)
  if (!isInside(path, project) || !isInside(realPath, realpathSync.native(project)))
    throw refuse(`it is a program outside of ${project}, and belongs to ${wordUser(statSync(path).uid)}`)
}

/** Under sudo, the caller is the user who called it: root runs that user's files on request. */
function listTrustedUsers(userId: number, { environment = {} }: Caller): readonly number[] {
  const { SUDO_UID: caller } = environment
  return userId === 0 && caller !== undefined && /^\d{1,10}$/.test(caller) ? [0, Number(caller)] : [0, userId]
}

/** Returns why and to whom the file could belong instead of the caller, or undefined if it could not. */
function findDistrust(path: string, users: readonly number[]): string | undefined {
  try {
    const untrusted = findUntrusted(path, users)
    if (untrusted === undefined) return undefined
    const isFile = untrusted.path === path
    const what = isFile ? 'it' : untrusted.path
    const [owner, ofFile] = [
      wordUser(untrusted.owner),
      isFile ? '' : `; the file's owner is ${wordUser(statSync(path).uid)}`,
    ]
    if (!untrusted.isWritable) return `${what} belongs to ${owner}${ofFile}`
    return `other users can write to ${what}, which belongs to ${owner}${ofFile}`
  } catch (error) {
    // The file changes while it is examined.
    return `its owner cannot be found out: ${wordFileError(error)}`
  }
}

function wordUser(userId: number): string {
  return userId === 0 ? 'root' : `user ${userId}`
}

/** Returns the checkout that the folder is in; without one, the package; without either, the folder itself. */
function findProject(workingFolder: string): string {
  for (const mark of ['.git', 'package.json']) {
    for (let folder = workingFolder; ; folder = dirname(folder)) {
      if (existsSync(join(folder, mark))) return folder
      if (dirname(folder) === folder) break
    }
  }
  return workingFolder
}
