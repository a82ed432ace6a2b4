import type { BigIntStats } from 'node:fs'
import { posix } from 'node:path'
import { closeAll, fileError, openNameIfThere, openTrusted, readLinkIn, statOf, toBytes } from './descriptors.ts'

/** The file system of a container as this process sees it. */
export interface Tree {
  /** Descriptor of its root. */
  readonly root: number
  /** What has to be seen at a path although it is not mounted there: paths of this machine by path inside. */
  readonly mounts: ReadonlyMap<string, string>
  /** Those of them that are read-only inside. */
  readonly readOnly: ReadonlySet<string>
}

/** A place in a tree. Its descriptors are open until `close`. */
export interface Place {
  /** Absolute path without links, as bytes. */
  readonly path: string
  /** Descriptor of the folder that it is in, and its name there: `.` for the root, and for what `..` led to. */
  readonly folder: number
  readonly name: string
  /** Descriptor of itself; undefined when nothing is there. */
  readonly opened: number | undefined
  readonly stats: BigIntStats | undefined
  close(): void
}

export interface WalkOptions {
  /** Whether a link at the end is followed. */
  readonly follows: boolean
  /** Whether more than the last component may be missing: then only the path of the place has a meaning. */
  readonly allowsMissing?: boolean
}

/** As many as the kernel follows. */
const MOST_LINKS = 40

interface Folder {
  readonly descriptor: number
  readonly path: string
}

/**
 * Walks a path (as bytes) component by component with descriptors. Links start again at the root of the tree, and `..`
 * stops there: whatever a program inside changes meanwhile, the way never leads out. The last component may be missing;
 * the others fail with ENOENT, ENOTDIR or ELOOP, as the kernel does.
 */
export function walk(tree: Tree, path: string, options: WalkOptions): Place {
  const walker = new Walker(tree, path, options)
  try {
    return walker.walk()
  } catch (error) {
    walker.close()
    throw error
  }
}

class Walker {
  readonly #tree: Tree
  readonly #path: string
  /** The folders from the root to here. */
  readonly #way: [Folder, ...Folder[]]
  /** Components that are still to be walked, the next one last. */
  readonly #rest: string[]
  readonly #options: WalkOptions
  #links = 0

  constructor(tree: Tree, path: string, options: WalkOptions) {
    this.#tree = tree
    this.#options = options
    this.#path = path
    this.#way = [{ descriptor: tree.root, path: '/' }]
    this.#rest = componentsOf(path).reverse()
  }

  walk(): Place {
    for (;;) {
      const name = this.#rest.pop()
      if (name === undefined) return this.#placeOfFolder()
      if (name === '..') this.#leave()
      else {
        const place = this.#step(name)
        if (place !== undefined) return place
      }
    }
  }

  close(): void {
    closeAll(this.#way.slice(1).map(({ descriptor }) => descriptor))
    this.#way.splice(1)
  }

  get #here(): Folder {
    return this.#way.at(-1) ?? this.#way[0]
  }

  /** Enters a folder or follows a link; returns the place when it is the last one. */
  #step(name: string): Place | undefined {
    const path = join(this.#here.path, name)
    const opened = openIn(this.#tree, this.#here, name, path)
    const isLast = this.#rest.length === 0
    if (opened === undefined) return this.#missing(path, name)
    try {
      const stats = statOf(opened)
      if (stats.isSymbolicLink() && (!isLast || this.#options.follows)) {
        this.#follow(name)
        closeAll([opened])
        return undefined
      }
      if (isLast) return this.#place(path, name, opened, stats)
      if (!stats.isDirectory()) throw fileError('ENOTDIR', this.#path)
    } catch (error) {
      closeAll([opened])
      throw error
    }
    this.#way.push({ descriptor: opened, path })
    return undefined
  }

  #missing(path: string, name: string): Place {
    if (this.#rest.length > 0 && this.#options.allowsMissing !== true) throw fileError('ENOENT', this.#path)
    const whole = posix.join(path, ...this.#rest.toReversed())
    return this.#place(whole, name, undefined, undefined)
  }

  #follow(name: string): void {
    this.#links += 1
    if (this.#links > MOST_LINKS) throw fileError('ELOOP', this.#path)
    const target = readLinkIn(this.#here.descriptor, name)
    if (target.startsWith('/')) this.close()
    this.#rest.push(...componentsOf(target).reverse())
  }

  #leave(): void {
    if (this.#way.length > 1) closeAll([this.#way.pop()?.descriptor])
  }

  #placeOfFolder(): Place {
    const { descriptor, path } = this.#here
    return this.#place(path, '.', descriptor, statOf(descriptor))
  }

  #place(path: string, name: string, opened: number | undefined, stats: BigIntStats | undefined): Place {
    const { descriptor: folder } = this.#here
    const kept = this.#way.slice(1).map(({ descriptor }) => descriptor)
    closeAll(kept.filter((descriptor) => descriptor !== folder))
    const open = new Set([
      ...kept.filter((descriptor) => descriptor === folder),
      ...(opened === undefined ? [] : [opened]),
    ])
    open.delete(this.#tree.root)
    const close = (): void => {
      closeAll(open)
      open.clear()
    }
    return { path, folder, name, opened, stats, close }
  }
}

function openIn(tree: Tree, { descriptor }: Folder, name: string, path: string): number | undefined {
  const source = tree.mounts.get(path)
  if (source === undefined) return openNameIfThere(descriptor, name)
  return openTrusted(source)
}

/** Splits a path, without its empty components. A final `/` or `/.` demands a folder, and so follows a link. */
function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

export function join(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

export interface TreeMount {
  /** Path inside. */
  readonly to: string
  /** Path on this machine. */
  readonly from: string
  readonly writable: boolean
}

/**
 * Opens the files of a container that does not run: its root, and what will be mounted when it starts. The paths of mounts
 * may lead through links; what is missing on the way will be created when the container starts.
 */
export function treeOf(root: number, mounts: readonly TreeMount[]): Tree {
  const tree = { root, mounts: new Map<string, string>(), readOnly: new Set<string>() }
  // The outer ones first: an inner one is in what the outer one shows.
  for (const { to, from, writable } of mounts.toSorted((one, other) => one.to.length - other.to.length)) {
    const path = finalPath(tree, toBytes(to))
    tree.mounts.set(path, from)
    if (!writable) tree.readOnly.add(path)
  }
  return tree
}

/** Returns the path (as bytes), with its links followed, also when what it leads to is missing. ELOOP, ENOTDIR. */
export function finalPath(tree: Tree, path: string): string {
  const place = walk(tree, path, { follows: true, allowsMissing: true })
  place.close()
  return place.path
}

/** Whether the innermost mount at this path (without links, as bytes) is read-only inside. */
export function isReadOnlyAt({ mounts, readOnly }: Tree, path: string): boolean {
  const around = [...mounts.keys()].filter((mount) => path === mount || path.startsWith(`${mount}/`))
  const inner = around.reduce((longest, one) => (one.length > longest.length ? one : longest), '')
  return readOnly.has(inner)
}

/** Whether one of the mounts is at this path or below it. */
export function hasMount({ mounts }: Tree, path: string): boolean {
  return [...mounts.keys()].some((mount) => mount === path || mount.startsWith(`${path}/`))
}
