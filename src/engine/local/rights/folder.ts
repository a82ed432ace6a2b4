import { constants } from 'node:fs'
import { access, readFile, realpath, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { FolderFacts } from './facts.ts'

/** Looks at a folder, or at the nearest folder above it that exists. */
export async function observeFolder(path: string): Promise<FolderFacts> {
  const existing = await findExisting(resolve(path))
  const [isWritable, { type, bavail, bsize, files, ffree }, mounts] = await Promise.all([
    access(existing, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    ),
    statfs(existing),
    readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
  ])
  // Some file systems, such as btrfs, count no files.
  const freeFiles = files === 0 ? Number.POSITIVE_INFINITY : ffree
  const options = findMountOptions(mounts, existing)
  return { path, existing, isWritable, type, freeBytes: bavail * bsize, freeFiles, options }
}

async function findExisting(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const above = dirname(path)
    if (above === path) throw error
    return findExisting(above)
  }
}

/** Returns the options of the mount that a path is in. `mounts` has the format of /proc/self/mountinfo. */
export function findMountOptions(mounts: string, path: string): readonly string[] {
  let found = { at: '', options: '' }
  for (const line of mounts.split('\n')) {
    const [, , , , place = '', options = ''] = line.split(' ')
    const at = place.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    const isAbove = at === '/' || path === at || path.startsWith(`${at}/`)
    // A later mount covers an earlier one at the same place.
    if (at !== '' && isAbove && at.length >= found.at.length) found = { at, options }
  }
  return found.options.split(',')
}
