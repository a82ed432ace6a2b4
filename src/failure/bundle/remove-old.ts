import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BundleFolder } from './folder.ts'

/** Number of bundles kept of one fleet: a developer who sees failures all day looks only at the last few. */
const MOST_BUNDLES = 10

/**
 * File that marks a folder as a bundle. Its content, never the folder's name, decides whether the folder may be
 * removed.
 */
const MARKER = 'bundle.json'
const MAX_MARKER_BYTES = 1024

interface Marker {
  readonly testfleetBundle: 1
  readonly fleet: string
  readonly atMs: number
}

export function mark(folder: BundleFolder, fleet: string): Promise<void> {
  const marker: Marker = { testfleetBundle: 1, fleet, atMs: Date.now() }
  return folder.save(MARKER, `${JSON.stringify(marker)}\n`)
}

/** Removes this user's bundles of a fleet from the folder, except the ten newest. */
export async function removeOldBundles(parent: string, fleet: string, userId: number | undefined): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith('testfleet-'))
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(parent, name)
      const marker = await readMarker(path, userId).catch(() => undefined)
      return marker?.fleet === fleet ? [{ path, atMs: marker.atMs }] : []
    }),
  )
  const newestFirst = found.flat().sort((a, b) => b.atMs - a.atMs)
  await Promise.all(newestFirst.slice(MOST_BUNDLES).map(({ path }) => rm(path, { recursive: true, force: true })))
}

/** Reads the marker; undefined unless the folder is a bundle of this user. */
async function readMarker(path: string, userId: number | undefined): Promise<Marker | undefined> {
  const folder = await lstat(path)
  const isPrivate = folder.isDirectory() && folder.uid === userId && (folder.mode & 0o077) === 0
  if (!isPrivate || (await lstat(join(path, MARKER))).size > MAX_MARKER_BYTES) return undefined
  const marker = JSON.parse(await readFile(join(path, MARKER), 'utf8'))
  return marker?.testfleetBundle === 1 && Number.isFinite(marker.atMs) ? marker : undefined
}
