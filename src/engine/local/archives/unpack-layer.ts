import { createHash } from 'node:crypto'
import { chmod, chown, rename, rm } from 'node:fs/promises'
import { posix } from 'node:path'
import { keepSize, type Workshop } from '../build/layer.ts'
import { ByteReader } from '../files/byte-reader.ts'
import { closeAll, namesIn, openNameIfThere, openTrusted, statOf } from '../files/descriptors.ts'
import { readTar, type TarEntry } from '../files/tar-reader.ts'
import { Unpacker } from '../files/unpack.ts'
import { type Tree, treeOf, walk } from '../files/walk.ts'
import { makeFolder } from '../store.ts'
import type { Local } from '../types.ts'

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

export interface LayerArchive {
  /** Id of the new layer. */
  readonly id: string
  /** Ids of the layers below it, the lowest first. */
  readonly below: readonly string[]
  /** Hexadecimal SHA-256 that the archive has to have; undefined when it is not known. */
  readonly digest: string | undefined
}

/**
 * Unpacks the tar archive of a layer into the store, where it appears as a whole. A whiteout of the archive becomes one of
 * overlayfs; a folder that hides what is below it gets one for each name that is there. Rejects when the digest is wrong.
 */
export async function unpackLayer(
  local: Local,
  workshop: Workshop,
  archive: AsyncIterable<Uint8Array>,
  { id, below, digest }: LayerArchive,
  signal: AbortSignal | undefined,
): Promise<void> {
  const folder = await makeFolder(`${workshop.folder}/layer-${id}`)
  const hash = createHash('sha256')
  const reader = new ByteReader(hashing(archive, hash))
  const tree = treeOf(openTrusted(folder), [])
  const unpacker = new Unpacker(tree, local.machine, '/')
  const opaque: string[] = []
  let root: Pick<TarEntry, 'mode' | 'uid' | 'gid'> = { mode: 0o755, uid: 0, gid: 0 }
  try {
    for await (const entry of readTar(reader)) {
      signal?.throwIfAborted()
      const name = posix.basename(entry.name)
      if (posix.resolve('/', entry.name) === '/') root = entry
      if (name === OPAQUE) opaque.push(posix.dirname(posix.resolve('/', entry.name)))
      else if (name.startsWith(WHITEOUT)) await unpacker.add(whiteout(entry, name))
      else await unpacker.add(entry)
    }
    for (const path of opaque) await hide(local, unpacker, tree, below, path)
    unpacker.finish()
    const found = hash.digest('hex')
    if (digest !== undefined && found !== digest)
      throw new Error(`a layer is damaged: its digest is ${found}, not ${digest}`)
  } finally {
    unpacker.close()
    closeAll([tree.root])
    await reader.close()
  }
  await chown(folder, root.uid, root.gid)
  await chmod(folder, root.mode)
  await keepSize(local, id, folder)
  await rename(folder, local.store.path('layers', id)).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error
    await rm(folder, { recursive: true, force: true })
  })
}

async function* hashing(archive: AsyncIterable<Uint8Array>, hash: ReturnType<typeof createHash>) {
  for await (const chunk of archive) {
    hash.update(chunk)
    yield chunk
  }
}

function whiteout(entry: TarEntry, name: string): TarEntry {
  return whiteoutAt(posix.join(posix.dirname(entry.name), name.slice(WHITEOUT.length)), entry)
}

function whiteoutAt(name: string, { modifiedAt }: Pick<TarEntry, 'modifiedAt'>): TarEntry {
  return {
    ...{ kind: 'characterDevice', name, target: '', mode: 0, uid: 0, gid: 0, size: 0, modifiedAt, sparse: undefined },
    device: { major: 0, minor: 0 },
    async *content() {},
  }
}

/** Hides what the layers below have in a folder, and the new layer has not. */
async function hide(
  { store }: Local,
  unpacker: Unpacker,
  tree: Tree,
  below: readonly string[],
  path: string,
): Promise<void> {
  const own = new Set(namesAt(tree, path))
  const names = new Set<string>()
  for (const id of below) {
    const layer = treeOf(openTrusted(store.path('layers', id)), [])
    for (const name of namesAt(layer, path)) if (!own.has(name)) names.add(name)
    closeAll([layer.root])
  }
  for (const name of names) await unpacker.add(whiteoutAt(posix.join(path, name).slice(1), { modifiedAt: 0 }))
}

/** Names in a folder of a layer, without those that it hides itself; none when there is no such folder. */
function namesAt(tree: Tree, path: string): readonly string[] {
  try {
    const place = walk(tree, path, { follows: false })
    try {
      if (place.opened === undefined || !place.stats?.isDirectory()) return []
      const folder = place.opened
      return namesIn(folder).filter((name) => !isWhiteout(folder, name))
    } finally {
      place.close()
    }
  } catch {
    return []
  }
}

function isWhiteout(folder: number, name: string): boolean {
  const opened = openNameIfThere(folder, name)
  if (opened === undefined) return false
  const stats = statOf(opened)
  closeAll([opened])
  return stats.isCharacterDevice() && stats.rdev === 0n
}
