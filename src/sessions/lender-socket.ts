import { randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import type { SessionRecord } from '../model/session.ts'
import { isInOwnFolder, keeperSocket, readSocketId, type SocketHost } from './keeper/protocol.ts'

/** A socket address has room for 103 characters on macOS; a lender adds up to this many to the path. */
const LONGEST_SUFFIX = 20
const MAX_PATH_LENGTH = 103

/**
 * Returns a path for the socket of a session's lender. It depends on the environment of the caller, so it is noted in the
 * session's record.
 */
export function newLenderSocket(id: string, host: SocketHost): string {
  // Everybody on the machine can make a pipe, so nobody may guess its name.
  return lenderSocket(host.platform === 'win32' ? `${id}-${randomBytes(16).toString('hex')}` : id, host)
}

/** Returns the path of a lender's socket, in a folder that only its user can enter. `key` is made of letters, digits and dashes. */
function lenderSocket(key: string, host: SocketHost): string {
  const wanted = keeperSocket(`lender-${key}`, host)
  if (host.platform === 'win32' || Buffer.byteLength(wanted) + LONGEST_SUFFIX <= MAX_PATH_LENGTH) return wanted
  return agreedLenderSocket(key, host)
}

/** As `lenderSocket`, and the same for every caller of a user: TMPDIR and XDG_RUNTIME_DIR do not matter. */
export function agreedLenderSocket(key: string, { platform, userId }: SocketHost): string {
  return keeperSocket(`lender-${key}`, { platform, userId, environment: {}, temporaryFolder: '/tmp' })
}

/** Returns the path of the socket at which a session's servers are lent, whether or not a lender runs. */
export function lenderSocketOf({ id, lender }: Pick<SessionRecord, 'id' | 'lender'>, host: SocketHost): string {
  return lender !== undefined && isLenderSocket(lender.socket, id, host) ? lender.socket : newLenderSocket(id, host)
}

/** Whether it is a path that `newLenderSocket` makes for the session: a record could name any socket of this machine. */
function isLenderSocket(path: unknown, id: string, { platform }: SocketHost): boolean {
  const found = readSocketId(path, platform)
  const own = `lender-${id}`
  if (platform !== 'win32') return found === own
  return found?.startsWith(`${own}-`) === true && /^[0-9a-f]{32}$/.test(found.slice(own.length + 1))
}

/** Whether this process could listen at the path. The folder of another caller may be gone, or be that of another user. */
export function canListen(path: string): boolean {
  try {
    return isInOwnFolder(path)
  } catch {
    return canWrite(dirname(dirname(path)))
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
