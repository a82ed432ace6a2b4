import {
  chmodSync,
  chownSync,
  constants,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import type { Machine } from '../programs.ts'
import {
  closeAll,
  codeOf,
  fileError,
  inFolder,
  itself,
  openName,
  openNameIfThere,
  statOf,
  toText,
} from './descriptors.ts'
import { makeNode } from './make-node.ts'
import { removeInside } from './remove-inside.ts'
import { type TarHeader, unsound } from './tar-header.ts'
import type { TarEntry } from './tar-reader.ts'
import { hasMount, isReadOnlyAt, type Place, type Tree, walk } from './walk.ts'
import { writeFile } from './write-file.ts'

/** Error of the file system, and the path inside at which it happened, as bytes. */
export class UnpackError extends Error {
  readonly path: string

  constructor(path: string, cause: unknown) {
    super(`${toText(path)}: ${(cause as Error).message}`, { cause })
    this.path = path
  }
}

/**
 * Unpacks entries of a tar archive below a folder of a tree, as Docker does: what has the name of an entry is replaced,
 * except a folder by a folder. Links on the way to an entry are followed inside the tree.
 */
export class Unpacker {
  readonly #tree: Tree
  readonly #machine: Machine
  /** Absolute path of the folder, without links, as bytes. */
  readonly #folder: string
  /** Times of folders: set at the end, because each new entry changes that of its folder. */
  readonly #folders: { readonly path: string; readonly header: TarHeader }[] = []
  /** The folder of the last entry stays open, because most entries are in the folder of the one before. */
  #last: { readonly parts: string; readonly place: Place } | undefined

  constructor(tree: Tree, machine: Machine, folder: string) {
    this.#tree = tree
    this.#machine = machine
    this.#folder = folder
  }

  async add(entry: TarEntry): Promise<void> {
    const parts = this.#partsOf(entry.name)
    const name = parts.pop()
    if (name === undefined) {
      if (entry.kind !== 'folder') throw unsound(`${JSON.stringify(toText(entry.name))} would replace its folder`)
      return
    }
    const path = [this.#folder === '/' ? '' : this.#folder, ...parts, name].join('/')
    await this.#at(path, async () => this.#put(this.#enter(parts), name, path, entry))
  }

  finish(): void {
    for (const { path, header } of this.#folders) {
      const place = walk(this.#tree, path, { follows: false })
      if (place.opened !== undefined && place.stats?.isDirectory()) setTimes(place.opened, header)
      place.close()
    }
  }

  close(): void {
    this.#last?.place.close()
    this.#last = undefined
  }

  /** Adds the path to errors of the file system; others, such as those of the source, stay as they are. */
  async #at(path: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      throw (error as NodeJS.ErrnoException).syscall !== undefined || /^E[A-Z]+$/.test(codeOf(error))
        ? new UnpackError(path, error)
        : error
    }
  }

  #partsOf(name: string): string[] {
    const parts: string[] = []
    for (const part of name.split('/')) {
      if (part === '' || part === '.') continue
      if (part !== '..') parts.push(part)
      else if (parts.pop() === undefined) {
        throw unsound(`${JSON.stringify(toText(name))} is outside of ${JSON.stringify(toText(this.#folder))}`)
      }
    }
    if (name.includes('\0')) throw unsound('a name contains a zero byte')
    return parts
  }

  /** Returns the folder of an entry, which is created when it is missing. */
  #enter(parts: readonly string[]): number {
    const key = parts.join('/')
    if (this.#last?.parts !== key) {
      this.close()
      this.#last = { parts: key, place: this.#makeFolders(parts) }
    }
    const { opened, path } = this.#last?.place ?? { opened: undefined, path: key }
    if (opened === undefined) throw fileError('ENOENT', path)
    if (isReadOnlyAt(this.#tree, path)) throw fileError('EROFS', path)
    return opened
  }

  #makeFolders(parts: readonly string[]): Place {
    let isRising = false
    for (let depth = parts.length; ; ) {
      // A link that leads to nothing, in a folder that exists, is no folder.
      const place = this.#open([this.#folder, ...parts.slice(0, depth)].join('/'), depth > 0 && !isRising)
      if (place === undefined) depth -= 1
      else if (place.opened === undefined) {
        mkdirSync(inFolder(place.folder, place.name), { mode: 0o755 })
        const opened = openName(place.folder, place.name)
        place.close()
        chmodSync(itself(opened), 0o755)
        closeAll([opened])
      } else if (!place.stats?.isDirectory()) {
        place.close()
        throw fileError('ENOTDIR', place.path)
      } else if (depth < parts.length) {
        place.close()
        isRising = true
        depth += 1
      } else return place
    }
  }

  #open(path: string, mayBeMissing: boolean): Place | undefined {
    try {
      return walk(this.#tree, path, { follows: true })
    } catch (error) {
      if (mayBeMissing && codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async #put(folder: number, name: string, path: string, entry: TarEntry): Promise<void> {
    const isKept = this.#makeRoom(folder, name, path, entry.kind)
    switch (entry.kind) {
      case 'folder':
        if (!isKept) mkdirSync(inFolder(folder, name), { mode: 0o700 })
        this.#folders.push({ path, header: entry })
        return setAttributes(folder, name, entry, this.#tree.mounts.get(path))
      case 'file':
        await writeFile(folder, name, entry)
        return setAttributes(folder, name, entry)
      case 'link':
        symlinkSync(Buffer.from(entry.target, 'latin1'), inFolder(folder, name))
        lchownSync(inFolder(folder, name), entry.uid, entry.gid)
        return lutimesSync(inFolder(folder, name), entry.modifiedAt, entry.modifiedAt)
      case 'hardLink':
        return this.#link(folder, name, entry)
      default:
        await makeNode(this.#machine, folder, name, entry)
        return setAttributes(folder, name, entry)
    }
  }

  /** Removes what an entry replaces. Returns whether a folder is there, which stays. */
  #makeRoom(folder: number, name: string, path: string, kind: TarEntry['kind']): boolean {
    if (this.#tree.mounts.has(path)) {
      if (kind !== 'folder') throw fileError('EBUSY', path)
      return true
    }
    const opened = openNameIfThere(folder, name)
    if (opened === undefined) return false
    const isFolder = statOf(opened).isDirectory()
    closeAll([opened])
    if (isFolder && kind === 'folder') return true
    removeInside(folder, name, path, (one) => hasMount(this.#tree, one))
    return false
  }

  #link(folder: number, name: string, { target }: TarEntry): void {
    const parts = this.#partsOf(target)
    const last = parts.pop()
    if (last === undefined) throw unsound('a hard link leads to a folder')
    const place = walk(this.#tree, [this.#folder, ...parts, last].join('/'), { follows: false })
    try {
      linkSync(inFolder(place.folder, place.name), inFolder(folder, name))
    } finally {
      place.close()
    }
  }
}

/** Gives what was created its owner, mode and time. A link that someone put there instead is not followed. */
function setAttributes(folder: number, name: string, header: TarHeader, mounted?: string): void {
  const opened = mounted === undefined ? openName(folder, name) : openSync(mounted, constants.O_RDONLY)
  try {
    if (statOf(opened).isSymbolicLink()) throw fileError('ELOOP', name)
    chownSync(itself(opened), header.uid, header.gid)
    chmodSync(itself(opened), header.mode)
    setTimes(opened, header)
  } finally {
    closeAll([opened])
  }
}

function setTimes(opened: number, { modifiedAt }: TarHeader): void {
  utimesSync(itself(opened), modifiedAt, modifiedAt)
}
