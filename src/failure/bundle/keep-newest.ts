import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BundleFolder } from './folder.ts'

/** Bundles of one fleet. A developer has red tests all day, and looks at the last few of them. */
const MOST_BUNDLES = 10

/** The file by which a folder is known as a bundle: what it says, never the folder's name, decides that it may be removed. */
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

/** Removes the oldest bundles of a fleet that this user has in the folder, except the newest ten. */
export async function keepNewest(parent: string, fleet: string, userId: number | undefined): Promise<void> {
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

/** Undefined for all that is not a bundle of this user's: nobody else can enter one. */
async function readMarker(path: string, userId: number | undefined): Promise<Marker | undefined> {
  const folder = await lstat(path)
  const isPrivate = folder.isDirectory() && folder.uid === userId && (folder.mode & 0o077) === 0
  if (!isPrivate || (await lstat(join(path, MARKER))).size > MAX_MARKER_BYTES) return undefined
  const marker = JSON.parse(await readFile(join(path, MARKER), 'utf8'))
  return marker?.testfleetBundle === 1 && Number.isFinite(marker.atMs) ? marker : undefined
}
