import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { TestfleetError } from '../../../model/failures.ts'
import { onAbort } from '../../../model/on-abort.ts'
import type { CallOptions, Engine, PathStat } from '../../engine.ts'
import type { Local } from '../types.ts'
import { ByteReader } from './byte-reader.ts'
import { codeOf, readLinkIn, toBytes, toText } from './descriptors.ts'
import { explainReading, explainWriting, noSuchPath } from './explain.ts'
import { type MountRoot, type OpenTree, openTree } from './open-tree.ts'
import { packPlace } from './pack.ts'
import { readTar } from './tar-reader.ts'
import { Unpacker } from './unpack.ts'
import { finalPath, isReadOnlyAt, type Place, walk } from './walk.ts'

export function fileVerbs(local: Local, mountRoot: MountRoot) {
  const read = (id: string, path: string, options: CallOptions = {}) => readArchive(local, mountRoot, id, path, options)
  return {
    unpacksIntoMounts: async () => true,
    async putArchive(id, folder, archive, { signal } = {}) {
      signal?.throwIfAborted()
      const tree = await openTree(local, id, mountRoot)
      try {
        await putArchive(local, tree, folder, archive, signal)
      } finally {
        tree.close()
      }
    },
    readArchive: (id, path, options) => read(id, path, options),
    async getArchive(id, path, maxBytes, options) {
      const parts: Buffer[] = []
      let length = 0
      for await (const part of read(id, path, options)) {
        length += part.length
        if (length > maxBytes) throw new TestfleetError('ENGINE_REFUSED', `${path} has more than ${maxBytes} bytes`)
        parts.push(part)
      }
      return Buffer.concat(parts)
    },
    async statPath(id, path, { signal } = {}) {
      signal?.throwIfAborted()
      const tree = await openTree(local, id, mountRoot)
      try {
        return statIn(tree, path)
      } finally {
        tree.close()
      }
    },
  } satisfies Partial<Engine>
}

async function putArchive(
  { machine }: Local,
  tree: OpenTree,
  folder: string,
  archive: Uint8Array | Readable,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = openFolder(tree, folder)
  const reader = new ByteReader(archive instanceof Uint8Array ? once(archive) : archive)
  const unpacker = new Unpacker(tree, machine, path)
  const stopListening = onAbort(signal, () => {
    if (!(archive instanceof Uint8Array)) archive.destroy(signal?.reason)
  })
  try {
    for await (const entry of readTar(reader)) {
      signal?.throwIfAborted()
      await unpacker.add(entry)
    }
    unpacker.finish()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (reader.failure !== undefined) throw reader.failure.error
    throw explainWriting(error)
  } finally {
    stopListening()
    unpacker.close()
    await reader.close()
  }
}

/** Returns the path, without links, of the folder in which an archive is unpacked. */
function openFolder(tree: OpenTree, folder: string): string {
  const place = open(tree, folder, true)
  try {
    if (place?.opened === undefined) throw noSuchPath(folder, tree.record.name)
    if (!place.stats?.isDirectory()) throw new TestfleetError('ENGINE_REFUSED', `${folder} is not a folder`)
    refuseReadOnly(tree, place.path)
    return place.path
  } finally {
    place?.close()
  }
}

/** The kernel would refuse it, too, but only once there is something to write. */
function refuseReadOnly(tree: OpenTree, path: string): void {
  const { mounts, tmpfs, readOnly } = tree.record.spec
  const isIn = (to: string): boolean => path === toBytes(to) || path.startsWith(`${toBytes(to)}/`)
  if (isReadOnlyAt(tree, path)) throw isReadOnlyMount(path)
  const around = mounts.filter(({ to }) => isIn(to)).sort((one, other) => other.to.length - one.to.length)[0]
  if (around !== undefined && !around.writable) throw isReadOnlyMount(path)
  const isInMount = [...tree.mounts.keys()].some((mount) => path === mount || path.startsWith(`${mount}/`))
  if (!readOnly || around !== undefined || isInMount) return
  if (tree.isRunning && tmpfs.some(({ to }) => isIn(to))) return
  throw new TestfleetError('ENGINE_REFUSED', `the root of the container ${tree.record.name} is read-only`, {
    hint: 'Write into one of its volumes instead.',
  })
}

function isReadOnlyMount(path: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `${toText(path)} is in a mount that is read-only`)
}

async function* readArchive(
  local: Local,
  mountRoot: MountRoot,
  id: string,
  path: string,
  { signal }: CallOptions,
): AsyncGenerator<Buffer, void, void> {
  signal?.throwIfAborted()
  const tree = await openTree(local, id, mountRoot)
  let place: Place | undefined
  try {
    place = open(tree, path, false)
    if (place?.opened === undefined) throw noSuchPath(path, tree.record.name)
    for await (const part of packPlace(tree, place, nameOf(path))) {
      signal?.throwIfAborted()
      yield part
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : explainReading(error, path)
  } finally {
    place?.close()
    tree.close()
  }
}

/** Name of the first entry in the archive: Docker's rules. */
function nameOf(path: string): string {
  if (path.endsWith('/.')) return '.'
  return toBytes(posix.basename(clean(path)) || '/')
}

/**
 * Opens a path; undefined when a folder on the way is missing, or is none. A link at its end is followed on request, and
 * when the path ends like that of a folder.
 */
function open(tree: OpenTree, path: string, follows: boolean): Place | undefined {
  const isFolder = /\/\.?$/.test(path)
  try {
    const place = walk(tree, toBytes(clean(path)), { follows: follows || isFolder })
    if (!isFolder || place.stats?.isDirectory() !== false) return place
    place.close()
    return undefined
  } catch (error) {
    if (isNowhere(error)) return undefined
    throw error
  }
}

function statIn(tree: OpenTree, path: string): PathStat | undefined {
  const place = open(tree, path, false)
  if (place?.stats === undefined) return undefined
  try {
    if (place.stats.isDirectory()) return { kind: 'folder' }
    if (!place.stats.isSymbolicLink()) return { kind: 'file' }
    const target = readLinkIn(place.folder, place.name)
    const from = target.startsWith('/') ? target : `${posix.dirname(place.path)}/${target}`
    return { kind: 'link', target: toText(finalPath(tree, from)) }
  } catch (error) {
    if (isNowhere(error)) return undefined
    throw error
  } finally {
    place.close()
  }
}

function isNowhere(error: unknown): boolean {
  return /^(?:ENOENT|ENOTDIR|ELOOP|ENAMETOOLONG)$/.test(codeOf(error))
}

/** Docker takes `..` in a path as text, before any link is followed. */
function clean(path: string): string {
  return posix.resolve('/', path)
}

async function* once(archive: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield archive
}
