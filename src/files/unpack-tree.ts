import { constants, type Stats } from 'node:fs'
import { chmod, chown, lchown, link, lstat, mkdir, open, symlink, unlink, utimes } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { Readable } from 'node:stream'
import { createTarDecoder, type ParsedTarEntry, type TarHeader } from 'modern-tar'
import { TestfleetError } from '../model/failures.ts'
import { say } from '../model/surface.ts'
import type { Copied } from './pack-tree.ts'

/** Destination of an archive on this machine. */
export interface UnpackTarget {
  /** Absolute path for the archive's top entry. Its parent exists and contains no links. */
  readonly path: string
  /** Name of the top entry in the archive; empty for the root of a file system. */
  readonly topName: string
  /** Whether files keep the user and group ids of their owners, and their setuid and setgid bits. */
  readonly keepsOwners: boolean
  /** Receives a description of each entry that is not copied. */
  onLeftOut(what: string): void
}

/** Limit for the entries of an archive, whose content a server under test decides. */
const MOST_ENTRIES = 1_000_000
const MOST_BYTES = 256 * 1024 ** 3

/**
 * Unpacks a tar archive that a server has made, and that is not trusted: writes nothing outside of the target, and
 * creates no link that leads out of it. Links are created last, so that nothing is written through them. Devices, pipes
 * and links to the outside are left out. Fails with COPY_FAILED.
 */
export async function unpackTree(archive: AsyncIterable<Uint8Array>, target: UnpackTarget): Promise<Copied> {
  const tree = new Tree(target)
  const { readable, writable } = createTarDecoder({ strict: true })
  const stop = new AbortController()
  const source = Readable.toWeb(Readable.from(archive)) as ReadableStream<Uint8Array>
  const piped = source.pipeTo(writable, { signal: stop.signal })
  piped.catch(() => {})
  try {
    for await (const entry of readable as unknown as AsyncIterable<ParsedTarEntry>) await tree.add(entry)
    await piped
  } catch (error) {
    stop.abort(error)
    // The error that ended the archive is more useful than that of its reader.
    const cause = await piped.then(
      () => error,
      (reason: unknown) => reason,
    )
    throw cause === stop.signal.reason ? error : cause
  }
  return tree.finish()
}

class Tree {
  readonly #target: UnpackTarget
  /** Folders of the target that are known to be real folders. */
  readonly #folders = new Set<string>()
  readonly #newFolders: { readonly path: string; readonly header: TarHeader }[] = []
  readonly #links: { readonly path: string; readonly depth: number; readonly header: TarHeader }[] = []
  readonly #files = new Set<string>()
  #entries = 0
  #bytes = 0

  constructor(target: UnpackTarget) {
    this.#target = target
  }

  async add({ header, body }: ParsedTarEntry): Promise<void> {
    const parts = this.#partsOf(header.name)
    const path = join(this.#target.path, ...parts)
    this.#entries += 1
    this.#bytes += header.size
    if (this.#entries > MOST_ENTRIES || this.#bytes > MOST_BYTES) throw copyFailed('the copy is too large')
    if (header.type !== 'file') await body.cancel()
    switch (header.type) {
      case 'directory':
        return this.#addFolder(parts, header)
      case 'file':
        return this.#addFile(path, parts, header, body)
      case 'symlink':
        this.#links.push({ path, depth: parts.length - 1, header })
        return
      case 'link':
        return this.#addHardLink(path, parts, header)
      case 'character-device':
      case 'block-device':
      case 'fifo':
        if (parts.length === 0) throw copyFailed(`${header.name} of the server is a device or a pipe`)
        this.#target.onLeftOut(`${header.name} is a device or a pipe`)
    }
  }

  async finish(): Promise<Copied> {
    for (const one of this.#links) await this.#addLink(one)
    // The deepest folders first: the mode of a folder may forbid changes in it.
    for (const { path, header } of this.#newFolders.toReversed()) {
      await this.#own(path, header)
      await chmod(path, this.#modeOf(header))
      await utimes(path, timeOf(header), timeOf(header))
    }
    return { files: this.#files.size, bytes: this.#bytes }
  }

  /** Returns the path below the top entry. */
  #partsOf(name: string): string[] {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.')
    const { topName } = this.#target
    const isBelow = topName === '' || parts[0] === topName
    // On Windows, these characters separate folders, drives and streams.
    const isForeign = sep !== '/' && parts.some((part) => /[\\:]/.test(part))
    if (!isBelow || isForeign || parts.includes('..') || name.includes('\0')) {
      throw copyFailed(`the server sent an unexpected entry: ${JSON.stringify(name)}`)
    }
    return topName === '' ? parts : parts.slice(1)
  }

  /** Makes sure that the folder of an entry is a real folder of the target. */
  async #enter(parts: readonly string[]): Promise<void> {
    for (let depth = 0; depth < parts.length; depth++) await this.#addFolder(parts.slice(0, depth), undefined)
  }

  async #addFolder(parts: readonly string[], header: TarHeader | undefined): Promise<void> {
    const path = join(this.#target.path, ...parts)
    if (parts.length > 0) await this.#enter(parts)
    if (this.#folders.has(path)) return
    const there = await lstat(path).catch(ignoreMissing)
    if (there === undefined) {
      await mkdir(path, { mode: 0o700 })
      if (header !== undefined) this.#newFolders.push({ path, header })
      else this.#newFolders.push({ path, header: { name: '', size: 0, mode: 0o755, mtime: new Date() } })
    } else if (!there.isDirectory()) throw inTheWay(path, there, 'a folder')
    this.#folders.add(path)
  }

  async #addFile(
    path: string,
    parts: readonly string[],
    header: TarHeader,
    body: ReadableStream<Uint8Array>,
  ): Promise<void> {
    await this.#enter(parts)
    await makeRoom(path)
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
    const file = await open(path, flags, 0o600)
    try {
      let left = header.size
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
        left -= chunk.length
        await file.writeFile(chunk)
      }
      if (left !== 0) throw copyFailed(`${header.name} was cut off`)
      if (this.#target.keepsOwners) await file.chown(header.uid ?? 0, header.gid ?? 0).catch(refuseOwner)
      await file.chmod(this.#modeOf(header))
      await file.utimes(timeOf(header), timeOf(header))
    } catch (error) {
      // Half a file could be taken for the whole one.
      await unlink(path).catch(() => {})
      throw error
    } finally {
      await file.close()
    }
    this.#files.add(path)
  }

  async #addHardLink(path: string, parts: readonly string[], { linkname = '' }: TarHeader): Promise<void> {
    const other = join(this.#target.path, ...this.#partsOf(linkname))
    if (!this.#files.has(other))
      throw copyFailed(`the server sent a link to ${JSON.stringify(linkname)}, which is not there`)
    await this.#enter(parts)
    await makeRoom(path)
    await link(other, path)
    this.#files.add(path)
  }

  async #addLink({ path, depth, header }: { path: string; depth: number; header: TarHeader }): Promise<void> {
    const { linkname = '', name } = header
    if (!staysInside(linkname, depth)) {
      this.#target.onLeftOut(`${name} is a link to ${linkname}, which is not part of the copy`)
      return
    }
    await this.#enter(this.#partsOf(name))
    await makeRoom(path)
    await symlink(linkname, path)
    if (this.#target.keepsOwners) await lchown(path, header.uid ?? 0, header.gid ?? 0).catch(refuseOwner)
    this.#files.add(path)
  }

  async #own(path: string, { uid, gid }: TarHeader): Promise<void> {
    if (this.#target.keepsOwners && uid !== undefined && gid !== undefined)
      await chown(path, uid, gid).catch(refuseOwner)
  }

  #modeOf({ mode = 0o644 }: TarHeader): number {
    return mode & (this.#target.keepsOwners ? 0o7777 : 0o777)
  }
}

/**
 * Whether a link in a folder `depth` levels below the top stays inside the copy, whatever other links it contains: `..`
 * may only come first, and at most `depth` times.
 */
function staysInside(target: string, depth: number): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0')) return false
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const ups = parts.findIndex((part) => part !== '..')
  const leading = ups === -1 ? parts.length : ups
  return depth >= 0 && leading <= depth && !parts.slice(leading).includes('..')
}

/** Removes a file or link that an entry replaces. */
async function makeRoom(path: string): Promise<void> {
  const there = await lstat(path).catch(ignoreMissing)
  if (there === undefined) return
  if (there.isDirectory()) throw inTheWay(path, there, 'a file')
  // Removing /dev/null would break this machine.
  if (!there.isFile() && !there.isSymbolicLink()) throw copyFailed(`${path} is a device, a pipe or a socket`)
  await unlink(path)
}

function inTheWay(path: string, there: Stats, wanted: string): TestfleetError {
  const what = there.isDirectory() ? 'a folder' : there.isSymbolicLink() ? 'a link' : 'a file'
  return copyFailed(
    `${path} is ${what}, and ${basename(path)} of the server is ${wanted}`,
    `Remove ${path}, or copy to another folder than ${dirname(path)}.`,
  )
}

export function copyFailed(message: string, hint?: string): TestfleetError {
  return new TestfleetError('COPY_FAILED', message, { hint })
}

function refuseOwner(error: NodeJS.ErrnoException): never {
  if (error.code !== 'EPERM') throw error
  throw copyFailed('only root can give files other owners', `Leave out ${say('archive')}: the files are then yours.`)
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function timeOf({ mtime }: TarHeader): Date {
  return mtime ?? new Date()
}
