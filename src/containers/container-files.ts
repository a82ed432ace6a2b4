import { posix } from 'node:path'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { isFailure } from '../model/failures.ts'

/** As many as Linux follows, roughly; a circle ends too. */
const MAX_LINKS = 20

/** The text of a container's file, its links followed; undefined where there is none. */
export async function readContainerFile(
  engine: Engine,
  containerId: string,
  path: string,
  maxBytes: number,
  options: CallOptions,
): Promise<string | undefined> {
  let place = path
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const archive = await engine.getArchive(containerId, place, maxBytes, options).catch((error: unknown) => {
      if (isFailure(error, 'NOT_FOUND')) return undefined
      throw error
    })
    if (archive === undefined) return undefined
    // Few servers have files that are read.
    const { unpackTar } = await import('modern-tar')
    const [entry] = await unpackTar(archive)
    if (entry?.header.type === 'file') return Buffer.from(entry.data ?? []).toString('utf8')
    if (entry?.header.type !== 'symlink') return undefined
    place = posix.resolve(posix.dirname(place), entry.header.linkname ?? '')
  }
  return undefined
}
