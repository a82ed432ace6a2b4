import { rmdirSync, unlinkSync } from 'node:fs'
import { closeAll, codeOf, fileError, inFolder, isMountedIn, namesIn, openName, statOf } from './descriptors.ts'
import { join } from './walk.ts'

/**
 * Removes a name from a folder, with everything below it, without following a link. EBUSY when something is mounted there
 * or below; `isMount` tells which paths are mounts that this process does not see as such.
 */
export function removeInside(folder: number, name: string, path: string, isMount: (path: string) => boolean): void {
  const opened = openName(folder, name)
  try {
    if (isMount(path) || isMountedIn(folder, opened)) throw fileError('EBUSY', path)
    if (!statOf(opened).isDirectory()) {
      unlinkSync(inFolder(folder, name))
      return
    }
    for (const below of namesIn(opened)) {
      try {
        removeInside(opened, below, join(path, below), isMount)
      } catch (error) {
        // Removed by someone else at the same time.
        if (codeOf(error) !== 'ENOENT') throw error
      }
    }
    rmdirSync(inFolder(folder, name))
  } finally {
    closeAll([opened])
  }
}
