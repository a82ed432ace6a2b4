import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { join, parse, sep } from 'node:path'

/** A file or folder on the path to a file, through which another user could replace that file. */
interface Untrusted {
  readonly path: string
  /** User id of the owner. */
  readonly owner: number
  /** Whether the owner is trusted, but other users can write to it. */
  readonly isWritable: boolean
}

/** Limit of the kernel: a path with more links is a cycle. */
const MOST_LINKS = 40

const GROUP_WRITES = 0o020
const OTHERS_WRITE = 0o002
const STICKY = 0o1000

/**
 * Returns the first file, folder or link on the path that belongs to none of these users, or that other users can write
 * to; undefined when there is none, or when the path does not exist. Anyone who can replace a folder or link on the
 * path can replace the file. A sticky folder such as /tmp may be on the path, because users cannot replace each other's
 * files in it; but it may not be the file's own folder, because others could add files next to it.
 *
 * A group-writable folder is accepted if the group's id equals its owner's. Linux numbers a user's private group that
 * way, and on such systems checkouts are often group-writable.
 */
export function findUntrusted(path: string, users: readonly number[]): Untrusted | undefined {
  const { root } = parse(path)
  const judge = (one: string, stats: Stats, isAbove: boolean): Untrusted | undefined => {
    const { uid: owner, mode } = stats
    if (!users.includes(owner) && !(isAbove && isWithoutNumberHere(owner)))
      return { path: one, owner, isWritable: false }
    // Links have no meaningful mode.
    if (stats.isSymbolicLink() || !isWritableForOthers(stats)) return undefined
    return isAbove && (mode & STICKY) !== 0 ? undefined : { path: one, owner, isWritable: true }
  }
  const names = path.slice(root.length).split(sep).filter(Boolean)
  let folder = root
  let links = 0
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const isLast = names.length === 0
    const next = join(folder, name)
    const stats = lstatSync(next, { throwIfNoEntry: false })
    const found =
      judge(folder, lstatSync(folder), !isLast) ??
      (stats === undefined ? undefined : judge(next, stats, stats.isDirectory()))
    if (found !== undefined || stats === undefined) return found
    if (!stats.isSymbolicLink()) {
      folder = next
      continue
    }
    if (++links > MOST_LINKS) throw Object.assign(new Error(`too many links: ${path}`), { code: 'ELOOP' })
    const target = readlinkSync(next)
    names.unshift(...target.split(sep).filter((part) => part !== '' && part !== '.'))
    if (target.startsWith(sep)) folder = root
  }
  return undefined
}

function isWritableForOthers({ mode, uid, gid }: Stats): boolean {
  return (mode & OTHERS_WRITE) !== 0 || ((mode & GROUP_WRITES) !== 0 && gid !== uid)
}

/**
 * Returns whether the owner has no user id in this process's user namespace, as under `testfleet run`, which maps only
 * the caller: the machine's root then has no id.
 */
function isWithoutNumberHere(owner: number): boolean {
  try {
    const isWholeMachine = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))
    return !isWholeMachine && owner === Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))
  } catch {
    return false
  }
}
