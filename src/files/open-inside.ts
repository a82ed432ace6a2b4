import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import { isInside } from '../formats/paths.ts'
import { TestfleetError } from '../model/failures.ts'

/** What has been checked by its path may be another thing when it is opened; what is open stays what it is. */
export interface Opened {
  readonly handle: FileHandle
  readonly stats: BigIntStats
  /** A path that leads to what is open, and to nothing else, for as long as it is open; undefined where there is none. */
  readonly fixedPath: string | undefined
}

// Some systems lack some of them. A named pipe that waits for its other end would hold the call for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** What opening says of a path that was a file or folder when it was looked at, and is no longer. */
const CHANGED = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO']

/**
 * Opens a file or folder at a path without links, gives it to `use`, and closes it. What is open is in one of the
 * folders, whatever has been done to the path since it was checked; else it fails with CONTEXT_CHANGED.
 */
export async function withOpened<T>(
  path: string,
  kind: 'file' | 'folder',
  roots: readonly string[],
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const handle = await open(path, FLAGS).catch((error: NodeJS.ErrnoException) => {
    throw CHANGED.includes(error.code ?? '') ? changed(path) : error
  })
  try {
    return await use(await checkOpened(handle, path, kind, roots))
  } finally {
    await handle.close()
  }
}

async function checkOpened(
  handle: FileHandle,
  path: string,
  kind: 'file' | 'folder',
  roots: readonly string[],
): Promise<Opened> {
  const stats = await handle.stat({ bigint: true })
  if (kind === 'file' ? !stats.isFile() : !stats.isDirectory()) throw changed(path)
  const link = `/proc/self/fd/${handle.fd}`
  const where = await readlink(link).catch(() => undefined)
  const isRight =
    where === undefined ? await isStillThere(stats, path, roots) : roots.some((root) => isInside(where, root))
  if (!isRight) throw changed(path)
  return { handle, stats, fixedPath: where === undefined ? undefined : link }
}

/** Only Linux tells where an open file is; elsewhere it must be the one that its path still leads to. */
async function isStillThere(stats: BigIntStats, path: string, roots: readonly string[]): Promise<boolean> {
  const [now, there] = await Promise.all([realpath(path), lstat(path, { bigint: true })]).catch(() => {
    throw changed(path)
  })
  return roots.some((root) => isInside(now, root)) && there.dev === stats.dev && there.ino === stats.ino
}

export function changed(path: string): TestfleetError {
  return new TestfleetError('CONTEXT_CHANGED', `${path} changed while it was read`, { hint: 'Run the command again.' })
}
