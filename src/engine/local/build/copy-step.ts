import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { ByteReader } from '../files/byte-reader.ts'
import { closeAll, namesIn, openTrusted, toBytes } from '../files/descriptors.ts'
import { packPlace } from '../files/pack.ts'
import { readTar, type TarEntry } from '../files/tar-reader.ts'
import { Unpacker } from '../files/unpack.ts'
import { join, type Place, type Tree, treeOf, walk } from '../files/walk.ts'
import type { Machine } from '../programs.ts'
import { openPacked } from './packed.ts'

export interface CopyRequest {
  /** The files to copy from. */
  readonly from: Tree
  /** Patterns of paths in them. */
  readonly sources: readonly string[]
  /** Absolute path in the image; with a slash at its end it is a folder. */
  readonly to: string
  /** Whether archives are unpacked. */
  readonly unpacks: boolean
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly mode: number | undefined
}

/** A file, folder or link to copy, by its path in its tree. */
export interface Source {
  readonly path: string
  readonly isFolder: boolean
}

/** Finds the sources of a copy. Rejects when a pattern matches nothing. */
export function findSources(from: Tree, patterns: readonly string[]): readonly Source[] {
  return patterns.flatMap((pattern) => {
    const clean = posix.resolve('/', pattern)
    const found = /[*?[]/.test(pattern) ? matchPaths(from, clean) : [toBytes(clean)]
    const sources = found.flatMap((path) => sourceAt(from, path))
    if (sources.length === 0) throw new Error(`"${clean}": not found`)
    return sources
  })
}

function sourceAt(from: Tree, path: string): Source[] {
  const place = placeAt(from, path)
  if (place === undefined) return []
  place.close()
  return [{ path: place.path, isFolder: place.stats?.isDirectory() === true }]
}

/** A link named as a source is followed, as BuildKit does. */
function placeAt(from: Tree, path: string): Place | undefined {
  try {
    const place = walk(from, path, { follows: true })
    if (place.opened !== undefined) return place
    place.close()
  } catch (error) {
    if (!/^E(?:NOENT|NOTDIR|LOOP)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  return undefined
}

/** Paths that match a pattern, component by component. */
function matchPaths(from: Tree, pattern: string): readonly string[] {
  let found = ['/']
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    found = found.flatMap((folder) =>
      namesAt(from, folder)
        .filter(matcherOf(part))
        .map((name) => join(folder, name)),
    )
  }
  return found
}

function namesAt(from: Tree, folder: string): readonly string[] {
  const place = placeAt(from, folder)
  if (place === undefined) return []
  try {
    return place.opened !== undefined && place.stats?.isDirectory() ? namesIn(place.opened).toSorted() : []
  } finally {
    place.close()
  }
}

function matcherOf(part: string): (name: string) => boolean {
  const source = toBytes(part).replace(/\\.|\*|\?|\[\^|[.+^$(){}|]/g, (found) => {
    if (found === '*') return '[^/]*'
    if (found === '?') return '[^/]'
    return found === '[^' || found.startsWith('\\') ? found : `\\${found}`
  })
  const expression = new RegExp(`^${source}$`, 's')
  return (name) => expression.test(name)
}

/** Digest of what is copied: names, modes, links and content, without times. */
export async function digestSources(from: Tree, sources: readonly Source[]): Promise<string> {
  const hash = createHash('sha256')
  for (const { path } of sources) {
    hash.update(`source ${posix.basename(path)}\0`)
    for await (const entry of entriesOf(from, path, 'x')) {
      const { kind, name, target, mode, uid, gid, size, device } = entry
      hash.update(JSON.stringify([kind, name, target, mode, uid, gid, size, device.major, device.minor]))
      for await (const part of entry.content()) hash.update(part)
    }
  }
  return hash.digest('hex')
}

async function* entriesOf(from: Tree, path: string, name: string): AsyncGenerator<TarEntry, void, void> {
  const place = walk(from, path, { follows: false })
  const reader = new ByteReader(packPlace(from, place, name))
  try {
    yield* readTar(reader)
  } finally {
    await reader.close()
    place.close()
  }
}

/** Copies into a mounted root. */
export async function copyInto(
  machine: Machine,
  root: string,
  request: CopyRequest,
  signal?: AbortSignal,
): Promise<void> {
  const sources = findSources(request.from, request.sources)
  const tree = treeOf(openTrusted(root), [])
  const unpacker = new Unpacker(tree, machine, '/')
  try {
    const isInto = request.to.endsWith('/') || sources.length > 1 || isFolderAt(tree, request.to)
    for (const source of sources) {
      signal?.throwIfAborted()
      await copySource(unpacker, source, isInto, request)
    }
    unpacker.finish()
  } finally {
    unpacker.close()
    closeAll([tree.root])
  }
}

async function copySource(unpacker: Unpacker, source: Source, isInto: boolean, request: CopyRequest): Promise<void> {
  const { from, unpacks } = request
  const folder = toBytes(posix.resolve('/', request.to))
  if (unpacks && !source.isFolder && (await addPacked(unpacker, source, folder, request))) return
  if (source.isFolder) await addFolder(unpacker, folder, request)
  const name = source.isFolder ? folder : isInto ? join(folder, posix.basename(source.path)) : folder
  for await (const entry of entriesOf(from, source.path, name.slice(1) || '.')) {
    // The folder itself is not copied: only what is in it.
    if (source.isFolder && isSame(entry.name, name)) continue
    await unpacker.add(changed(entry, request))
  }
}

function isSame(name: string, folder: string): boolean {
  return posix.resolve('/', name) === folder
}

async function addFolder(unpacker: Unpacker, folder: string, { owner, mode = 0o755 }: CopyRequest): Promise<void> {
  if (folder === '/') return
  await unpacker.add(plainEntry({ kind: 'folder', name: folder.slice(1), mode, owner }))
}

/** Unpacks a source that is an archive. Returns false for another file. */
async function addPacked(unpacker: Unpacker, source: Source, folder: string, request: CopyRequest): Promise<boolean> {
  const archive = await openPacked(request.from, source.path)
  if (archive === undefined) return false
  const reader = new ByteReader(archive)
  try {
    for await (const entry of readTar(reader)) {
      const inside = { ...entry, content: entry.content, name: `${folder.slice(1)}/${entry.name}` }
      const target = entry.kind === 'hardLink' ? `${folder.slice(1)}/${entry.target}` : entry.target
      await unpacker.add(changed({ ...inside, target }, request))
    }
  } finally {
    await reader.close()
  }
  return true
}

function changed(entry: TarEntry, { owner, mode }: CopyRequest): TarEntry {
  return { ...entry, ...owner, ...(mode !== undefined && entry.kind !== 'link' && { mode }) }
}

interface PlainEntry {
  readonly kind: 'folder' | 'file'
  readonly name: string
  readonly mode: number
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly content?: Buffer
}

/** An entry that comes from no archive. */
export function plainEntry({ kind, name, mode, owner, content = Buffer.alloc(0) }: PlainEntry): TarEntry {
  return {
    ...{ kind, name, mode, target: '', uid: 0, gid: 0, size: content.length, ...owner },
    ...{ modifiedAt: Math.floor(Date.now() / 1000), device: { major: 0, minor: 0 }, sparse: undefined },
    async *content() {
      if (content.length > 0) yield content
    },
  }
}

function isFolderAt(tree: Tree, path: string): boolean {
  const place = placeAt(tree, toBytes(posix.resolve('/', path)))
  place?.close()
  return place?.stats?.isDirectory() === true
}

/** Makes a folder with all above it, if it is not there. */
export async function makeFolderIn(machine: Machine, root: string, path: string): Promise<void> {
  const tree = treeOf(openTrusted(root), [])
  const unpacker = new Unpacker(tree, machine, '/')
  try {
    if (isFolderAt(tree, path)) return
    await unpacker.add(plainEntry({ kind: 'folder', name: toBytes(path).slice(1), mode: 0o755, owner: undefined }))
    unpacker.finish()
  } finally {
    unpacker.close()
    closeAll([tree.root])
  }
}
