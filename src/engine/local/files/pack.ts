import { type BigIntStats, constants, openSync, read, statfsSync } from 'node:fs'
import { promisify } from 'node:util'
import { TestfleetError } from '../../../model/failures.ts'
import {
  closeAll,
  isMountedIn,
  itself,
  namesIn,
  openNameIfThere,
  openTrusted,
  readLinkIn,
  statOf,
  toText,
} from './descriptors.ts'
import { BLOCK, type EntryKind, padding, writeHeader } from './tar-header.ts'
import { join, type Place, type Tree } from './walk.ts'

const readBytes = promisify(read)

const CHUNK_BYTES = 256 << 10

/** An opened file and where it is. */
interface Opened {
  readonly opened: number
  readonly stats: BigIntStats
  readonly folder: number
  /** Its name in its folder. */
  readonly own: string
  /** Absolute path in the tree. */
  readonly path: string
  /** Its name in the archive. */
  readonly name: string
}

/**
 * Packs a place of a tree as a tar archive in which it has this name. Reads only as fast as its reader. Links are packed,
 * and never followed. Sockets are left out, and what the kernel shows at /proc, /sys and /dev.
 */
export async function* packPlace(tree: Tree, place: Place, name: string): AsyncGenerator<Buffer, void, void> {
  const { opened, stats, folder } = place
  if (opened === undefined || stats === undefined) return
  yield* new Packer(tree).pack({ opened, stats, folder, own: place.name, path: place.path, name })
  yield Buffer.alloc(2 * BLOCK)
}

class Packer {
  readonly #tree: Tree
  /** Names in the archive of files with more than one name. */
  readonly #seen = new Map<string, string>()

  constructor(tree: Tree) {
    this.#tree = tree
  }

  async *pack(one: Opened): AsyncGenerator<Buffer, void, void> {
    const kind = kindOf(one.stats)
    if (kind === undefined) return
    if (kind === 'folder') return yield* this.#packFolder(one)
    const earlier = this.#earlierName(one)
    if (earlier !== undefined) return yield header(one, 'hardLink', { target: earlier })
    if (kind === 'file') return yield* packFile(one)
    yield header(one, kind, kind === 'link' ? { target: readLinkIn(one.folder, one.own) } : {})
  }

  async *#packFolder(folder: Opened): AsyncGenerator<Buffer, void, void> {
    yield header({ ...folder, name: folder.name.endsWith('/') ? folder.name : `${folder.name}/` }, 'folder')
    for (const own of namesIn(folder.opened)) {
      const path = join(folder.path, own)
      const opened = this.#openBelow(folder, own, path)
      if (opened === undefined) continue
      try {
        const name = folder.name.endsWith('/') ? `${folder.name}${own}` : `${folder.name}/${own}`
        const one = { opened, stats: statOf(opened), folder: folder.opened, own, path, name }
        if (one.stats.isDirectory() && isOfKernel(folder.opened, one))
          yield header({ ...one, name: `${name}/` }, 'folder')
        else yield* this.pack(one)
      } finally {
        closeAll([opened])
      }
    }
  }

  #openBelow(folder: Opened, own: string, path: string): number | undefined {
    const source = this.#tree.mounts.get(path)
    return source === undefined ? openNameIfThere(folder.opened, own) : openTrusted(source)
  }

  #earlierName({ stats, name }: Opened): string | undefined {
    if (stats.nlink < 2n) return undefined
    const key = `${stats.dev}:${stats.ino}`
    const earlier = this.#seen.get(key)
    if (earlier === undefined) this.#seen.set(key, name)
    return earlier
  }
}

async function* packFile(one: Opened): AsyncGenerator<Buffer, void, void> {
  if (isKernelFile(one.opened)) throw ofKernel(one.path)
  // Opens exactly the file that was looked at, which is a regular one: nothing can block or be triggered.
  const file = openSync(itself(one.opened), constants.O_RDONLY)
  try {
    let left = Number(one.stats.size)
    yield header(one, 'file', { size: left })
    while (left > 0) {
      const { bytesRead, buffer } = await readBytes(
        file,
        Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES)),
        0,
        Math.min(left, CHUNK_BYTES),
        null,
      )
      if (bytesRead === 0) throw shrunk(one.path)
      left -= bytesRead
      yield buffer.subarray(0, bytesRead)
    }
    yield padding(Number(one.stats.size))
  } finally {
    closeAll([file])
  }
}

function kindOf(stats: BigIntStats): EntryKind | undefined {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  if (stats.isSymbolicLink()) return 'link'
  if (stats.isFIFO()) return 'pipe'
  if (stats.isCharacterDevice()) return 'characterDevice'
  if (stats.isBlockDevice()) return 'blockDevice'
  return undefined
}

function header(
  { stats, name }: Opened,
  kind: EntryKind,
  more: { readonly target?: string; readonly size?: number } = {},
): Buffer {
  const device = Number(stats.rdev)
  return writeHeader({
    kind,
    name,
    target: '',
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: 0,
    modifiedAt: Math.floor(Number(stats.mtimeMs) / 1000),
    device: kind === 'characterDevice' || kind === 'blockDevice' ? numbersOf(device) : { major: 0, minor: 0 },
    ...more,
  })
}

function numbersOf(device: number): { readonly major: number; readonly minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) }
}

/** Types of the file systems in which the kernel shows itself: proc, sysfs, cgroup, cgroup2, devpts, mqueue. */
const KERNEL_TYPES: ReadonlySet<number> = new Set([0x9fa0, 0x6265_6572, 0x27_e0eb, 0x6367_7270, 0x1cd1, 0x1980_0202])

function isKernelFile(opened: number): boolean {
  return KERNEL_TYPES.has(statfsSync(itself(opened)).type)
}

/** Whether a folder is a mount that belongs to the running container and not to its files. */
function isOfKernel(parent: number, { opened, path }: Opened): boolean {
  return isMountedIn(parent, opened) && (path === '/dev' || isKernelFile(opened))
}

function ofKernel(path: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `${toText(path)} is no file: the kernel makes up what it shows`, {
    hint: 'Read it with a program of the server instead.',
  })
}

function shrunk(path: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `${toText(path)} became shorter while it was read`, {
    hint: 'Try again, or stop the server first.',
  })
}
