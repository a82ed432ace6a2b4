import { posix } from 'node:path'
import { unpackTar } from 'modern-tar'
import type { CallOptions, Engine, PathStat } from '../engine/engine.ts'
import { findOwner } from '../formats/user-lists.ts'
import { isFailure } from '../model/failures.ts'
import type { ImageFiles } from './place-files.ts'
import { readFiles } from './record-packages.ts'

const MAX_USERS_BYTES = 1024 * 1024
/** A folder with more members is examined name by name. */
const MAX_FOLDER_BYTES = 4 * 1024 * 1024

/** The files of a container that is not started, and so of its image. Each path is requested once. */
export function openImageFiles(containerId: string, engine: Engine, options: CallOptions): ImageFiles {
  const seen = new Map<string, Promise<PathStat | undefined>>()
  const listed = new Map<string, Promise<ReadonlyMap<string, PathStat> | undefined>>()
  const look = async (path: string): Promise<PathStat | undefined> => {
    const folder = await listed.get(posix.dirname(path))
    if (folder !== undefined) return folder.get(posix.basename(path))
    const found = seen.get(path) ?? engine.statPath(containerId, path, options)
    seen.set(path, found)
    return found
  }
  const list = async (folder: string): Promise<ReadonlyMap<string, PathStat> | undefined> => {
    const archive = await engine.getArchive(containerId, `${folder}/.`, MAX_FOLDER_BYTES, options).catch(tooLarge)
    return archive && readMembers(archive)
  }
  const readList = async (path: string): Promise<string | undefined> => {
    const found = await look(path)
    const place = found?.kind === 'link' ? found.target : path
    const files = await readFiles(containerId, place, MAX_USERS_BYTES, engine, options)
    return files?.values().next().value
  }
  return {
    look,
    async expectLooks(folder) {
      const known = listed.get(folder) ?? list(folder)
      listed.set(folder, known)
      await known
    },
    // As for a number in COPY's `--chown`: the group has the same number.
    findOwner: (owner) => findOwner(owner, readList, (uid) => uid),
  }
}

function tooLarge(error: unknown): undefined {
  if (!isFailure(error, 'ENGINE_REFUSED')) throw error
}

/** The members of a folder itself, by name. The archive also has everything below them. */
async function readMembers(archive: Uint8Array): Promise<ReadonlyMap<string, PathStat>> {
  const members = new Map<string, PathStat>()
  for (const { header } of await unpackTar(archive)) {
    const name = posix.normalize(header.name).replace(/\/$/, '')
    if (name === '.' || name.includes('/')) continue
    if (header.type === 'symlink') members.set(name, { kind: 'link', target: header.linkname ?? '' })
    else members.set(name, { kind: header.type === 'directory' ? 'folder' : 'file' })
  }
  return members
}
