import { createHash, type Hash } from 'node:crypto'
import { lstatSync, realpathSync, type Stats } from 'node:fs'
import { join, relative } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { changed, ifThere, listInside, type Member, readOpened, withOpened } from '../files/inside.ts'
import type { Server } from '../model/fleet.ts'

/** Limits for one mount. Larger files count by size and time; the members of larger folders are ignored. */
export interface MountBound {
  readonly members: number
  readonly bytes: number
}

const BOUND: MountBound = { members: 2000, bytes: 32 * 1024 * 1024 }

/** Yields to other work after this number of members. */
const MEMBERS_AT_ONCE = 64

/**
 * Returns the digest of each read-only mount of a file or folder, and of each file of the user's own certificate, by
 * path relative to the fleet's folder. Writable mounts are left out, because the server changes them.
 */
export async function digestMounts(
  { mounts, tls }: Pick<Server, 'mounts'> & Partial<Pick<Server, 'tls'>>,
  folder: string,
  signal?: AbortSignal,
  bound: MountBound = BOUND,
): Promise<Readonly<Record<string, string>>> {
  const paths = new Set(mounts.flatMap((mount) => (mount.kind === 'bind' && !mount.writable ? [mount.from] : [])))
  for (const { path } of Object.values(tls?.own ?? {})) paths.add(path)
  const digests = await Promise.all(
    [...paths].map(async (path) => [relative(folder, path) || '.', await digestMount(path, bound, signal)] as const),
  )
  return Object.fromEntries(digests)
}

interface Walk {
  readonly root: string
  readonly hash: Hash
  readonly signal: AbortSignal | undefined
  readonly bound: MountBound
  members: number
  bytes: number
}

async function digestMount(path: string, bound: MountBound, signal: AbortSignal | undefined): Promise<string> {
  const root = ifThere<string>(realpathSync.native, path)
  if (root === undefined) return ''
  const walk: Walk = { root, hash: createHash('sha256'), signal, bound, members: 0, bytes: 0 }
  const stats = lstatSync(root)
  const isFolder = stats.isDirectory()
  // The inode, because a server keeps a removed folder even if a new one has its path.
  const self = `${stats.dev}:${stats.ino}`
  if (isFolder) walk.hash.update(`${self}\n`)
  if (isFolder ? await addFolder(root, walk) : await addFile(root, walk)) return walk.hash.digest('hex').slice(0, 16)
  return `too many in ${self}`
}

/** Adds a folder; false once the limit is exceeded. */
async function addFolder(folder: string, walk: Walk): Promise<boolean> {
  // The engine may read folders that this user may not.
  const members = await listInside(folder, [walk.root]).catch(() => undefined)
  if (members === undefined) addStats(folder, walk)
  for (const member of members ?? []) {
    walk.signal?.throwIfAborted()
    if (++walk.members > walk.bound.members) return false
    if (walk.members % MEMBERS_AT_ONCE === 0) await pause()
    if (!(await addMember(member, join(folder, member.name), walk))) return false
  }
  return true
}

async function addMember(member: Member, path: string, walk: Walk): Promise<boolean> {
  const target = member.kind === 'link' ? member.target : undefined
  walk.hash.update(`${JSON.stringify([member.kind, relative(walk.root, path), target])}\n`)
  if (member.kind === 'file') return addFile(path, walk)
  if (member.kind !== 'folder') return true
  walk.hash.update(`${look(path)?.mode}\n`)
  return addFolder(path, walk)
}

async function addFile(path: string, walk: Walk): Promise<true> {
  const { size = 0, mode } = look(path) ?? {}
  walk.hash.update(`${mode} ${size}\n`)
  walk.bytes += size
  if (walk.bytes > walk.bound.bytes) addStats(path, walk)
  else await addContent(path, walk).catch(() => addStats(path, walk))
  return true
}

async function addContent(path: string, { root, hash, signal }: Walk): Promise<void> {
  await withOpened(path, 'file', [root], async (opened) => {
    const content = createHash('sha256')
    let length = 0n
    for await (const chunk of readOpened(opened)) {
      signal?.throwIfAborted()
      length += BigInt(chunk.length)
      // The file grows while it is read.
      if (length > opened.stats.size) throw changed(path)
      content.update(chunk)
    }
    hash.update(content.digest())
  })
}

function addStats(path: string, { hash }: Walk): void {
  const { size, mtimeMs, ino } = look(path) ?? {}
  hash.update(`${size} ${mtimeMs} ${ino}\n`)
}

function look(path: string): Stats | undefined {
  return ifThere<Stats>(lstatSync, path)
}
