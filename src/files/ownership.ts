import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { join, parse, sep } from 'node:path'

/** Something on the way to a file through which another user could decide what the file says. */
interface Untrusted {
  readonly path: string
  /** User id of its owner. */
  readonly owner: number
  /** Whether the owner is trusted, but others can write to it. */
  readonly isWritable: boolean
}

/** As the kernel: more links than this on one way are a circle. */
const MOST_LINKS = 40

const GROUP_WRITES = 0o020
const OTHERS_WRITE = 0o002
const STICKY = 0o1000

/**
 * The first thing on the way to a file that belongs to none of these users, or that others can write to; undefined where
 * there is none. What is not there is nobody's. Every folder and every link counts, as anyone who can replace one of them can replace the file. A sticky
 * folder such as /tmp may be on the way, because nobody can replace what belongs to another there; but the folder of the
 * file may not be one, as others could add files next to it.
 *
 * A folder that its group can write to is accepted where the group has the number of its owner. That is how Linux numbers
 * the private group of a user, and where it does so, what a checkout makes is often writable for this group.
 */
export function findUntrusted(path: string, users: readonly number[]): Untrusted | undefined {
  const { root } = parse(path)
  const judge = (one: string, stats: Stats, isAbove: boolean): Untrusted | undefined => {
    const { uid: owner, mode } = stats
    if (!users.includes(owner) && !(isAbove && isWithoutNumberHere(owner)))
      return { path: one, owner, isWritable: false }
    // The mode of a link means nothing.
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
 * Whether the owner is a user whom the namespace of this process has no number for, as under `testfleet run`, which makes
 * the caller root and leaves the machine's root without a number.
 */
function isWithoutNumberHere(owner: number): boolean {
  try {
    const isWholeMachine = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))
    return !isWholeMachine && owner === Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))
  } catch {
    return false
  }
}
