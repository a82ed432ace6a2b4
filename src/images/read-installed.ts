import type { CallOptions, Engine } from '../engine/engine.ts'
import { unpackFiles } from '../files/unpack-archive.ts'
import { isFailure } from '../model/failures.ts'
import { type InstalledPackage, parseDpkgStatus } from './debian-packages.ts'

/** A Debian with all its packages has some fifty megabytes. */
const MAX_DATABASE_BYTES = 64 * 1024 * 1024

/** What dpkg has installed in a container, whether it runs or not; undefined when there is no dpkg. */
export async function readInstalled(
  containerId: string,
  engine: Engine,
  options: CallOptions,
): Promise<readonly InstalledPackage[] | undefined> {
  const read = (path: string): Promise<ReadonlyMap<string, string> | undefined> =>
    readFiles(containerId, path, MAX_DATABASE_BYTES, engine, options)
  // Distroless images have a file for each package, in a folder.
  const files = (await read('/var/lib/dpkg/status')) ?? (await read('/var/lib/dpkg/status.d'))
  if (files === undefined) return undefined
  const texts = [...files].filter(([path]) => !path.endsWith('.md5sums')).map(([, text]) => text)
  return parseDpkgStatus(texts.join('\n\n'))
}

/** The files at a path of a container; undefined when there is nothing. */
export async function readFiles(
  containerId: string,
  path: string,
  maxBytes: number,
  engine: Engine,
  options: CallOptions,
): Promise<ReadonlyMap<string, string> | undefined> {
  const archive = await engine.getArchive(containerId, path, maxBytes, options).catch((error: unknown) => {
    if (isFailure(error, 'NOT_FOUND')) return undefined
    throw error
  })
  return archive && unpackFiles(archive)
}
