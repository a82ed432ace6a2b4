import { posix } from 'node:path'
import type { OwnerSearch } from '../formats/user-lists.ts'
import type { FieldPath } from '../model/fleet.ts'
import type { ContextEntry, FileOwner, PreparedCopy } from '../model/plan.ts'

/** What is at a path of an image. Anything else than a file, folder or link counts as a file. */
export type Found = { readonly kind: 'folder' | 'file' } | { readonly kind: 'link'; readonly target: string }

/** The files of an image before anything is copied into it. */
export interface ImageFiles {
  /** Looks up an absolute path. Links within the path are followed, a link at its end is not. */
  look(path: string): Promise<Found | undefined>
  /** Announces that many names of this folder will be looked up. */
  expectLooks(folder: string): Promise<void>
  findOwner(owner: string): Promise<OwnerSearch>
}

/** A copy that cannot be placed as requested. */
export class PlacementError extends Error {
  /** The field to change. */
  readonly at: FieldPath
  readonly hint: string | undefined

  constructor(message: string, at: FieldPath, hint?: string) {
    super(message)
    this.at = at
    this.hint = hint
  }
}

/**
 * Decides how copies arrive in an image, for every builder alike: the members of one archive for each copy, with paths
 * from the image's root on.
 *
 * - A file goes into `to` if that is a folder, and keeps its name; else it becomes `to`.
 * - A folder's content goes into `to`. Folders that the image has, also by a link, stay as they are: mode and owner.
 * - Missing parent folders are created with mode 0755.
 * - A file replaces a file or a link to one. Nothing replaces a folder.
 *
 * Each copy sees the results of earlier ones. Fails with a `PlacementError`.
 */
export async function placeFiles(copies: readonly PreparedCopy[], image: ImageFiles): Promise<ContextEntry[][]> {
  const known = new Map<string, Found>()
  const placed: ContextEntry[][] = []
  for (const copy of copies) placed.push(await new Placement(copy, image, known).place())
  return placed
}

/** A path of the image without links, and what is there. */
interface Place {
  readonly path: string
  readonly kind: 'folder' | 'file' | undefined
}

/** The number that Linux follows; it also ends circles. */
const MAX_LINKS = 40
/** With more members of one folder, reading the whole folder is faster. */
const FEW_LOOKS = 8
const NEW_FOLDER_MODE = 0o755

/** Paths that the engine replaces in every container, and the keys of a server that change them. */
const replacedByEngine = [
  { paths: /^\/etc\/hosts$/, way: 'Use `aliases` or `extraHosts`' },
  { paths: /^\/etc\/hostname$/, way: 'Use `hostname`' },
  { paths: /^\/etc\/resolv\.conf$/, way: 'Use `dns`' },
  { paths: /^\/(proc|sys)\/./, way: 'Use `sysctls`' },
  { paths: /^\/dev\/./, way: 'Use `devices` or `mounts`' },
]

function wordReplaced(path: string, way: string, { source }: PreparedCopy): [message: string, hint: string] {
  const message = `${path} cannot be copied: the engine puts its own in that place when a container starts`
  const rest = source.kind === 'folder' ? `, and keep the path out of the copy with \`ignore\`` : ''
  return [message, `${way} of the server instead${rest}.`]
}

class Placement {
  readonly #copy: PreparedCopy
  readonly #image: ImageFiles
  /** What the copies have placed so far. */
  readonly #known: Map<string, Found>
  readonly #entries: ContextEntry[] = []
  #owner: FileOwner | undefined

  constructor(copy: PreparedCopy, image: ImageFiles, known: Map<string, Found>) {
    this.#copy = copy
    this.#image = image
    this.#known = known
  }

  async place(): Promise<ContextEntry[]> {
    const { source, to, entries } = this.#copy
    this.#owner = await this.#findOwner()
    const place = await this.#follow(posix.resolve(to))
    if (source.kind === 'folder') await this.#placeTree(place)
    else for (const entry of entries) await this.#placeFile(entry, place)
    return this.#entries
  }

  async #findOwner(): Promise<FileOwner | undefined> {
    const { owner, step } = this.#copy
    if (owner === undefined) return undefined
    const found = await this.#image.findOwner(owner)
    if (found.kind === 'found') return { uid: found.uid, gid: found.gid }
    const { what, name } = found
    const add = what === 'user' ? `useradd --system ${name}` : `groupadd --system ${name}`
    const isOfBase = step.at[0] === 'base'
    const hint = isOfBase
      ? `\`run\` comes after \`copy\`. Name a ${what} that the image or a package brings, or write a number.`
      : `\`build.run\` comes after \`copy\`: add the ${what} in \`base.run\`, such as \`${add}\`, or write a number.`
    throw new PlacementError(`the image has no ${what} ${name} to own ${this.#copy.to}`, [...step.at, 'owner'], hint)
  }

  /** Follows every link, including the last one. */
  async #follow(path: string, links = 0): Promise<Place> {
    if (path === '/') return { path, kind: 'folder' }
    if (links > MAX_LINKS) throw this.#refuse(`${path} is a link that leads in a circle in the image`)
    const found = await this.#look(path)
    if (found?.kind === 'link') return this.#follow(posix.resolve(posix.dirname(path), found.target), links + 1)
    if (found !== undefined) return { path, kind: found.kind }
    const parent = await this.#follow(posix.dirname(path), links)
    if (parent.kind === 'file') throw this.#refuse(`${posix.dirname(path)} is a file in the image, not a folder`)
    const real = posix.join(parent.path, posix.basename(path))
    return real === path ? { path, kind: undefined } : this.#follow(real, links + 1)
  }

  async #look(path: string): Promise<Found | undefined> {
    // The image has nothing in a folder that a copy creates.
    if (this.#known.get(posix.dirname(path))?.kind === 'folder') return this.#known.get(path)
    return this.#known.get(path) ?? (await this.#image.look(path))
  }

  async #placeFile(entry: ContextEntry, place: Place): Promise<void> {
    const { source, to } = this.#copy
    if (place.kind === 'folder' && source.kind === 'content')
      throw this.#refuse(`${to} is a folder in the image`, `Name the file too, such as ${posix.join(to, 'NAME')}.`)
    const isNamed = source.kind === 'file' && (place.kind === 'folder' || to.endsWith('/'))
    if (!isNamed) return this.#add(entry, place)
    if (place.kind === 'file') throw this.#refuse(`${to} is a file in the image, not a folder`)
    const inside = await this.#follow(posix.join(place.path, source.name))
    if (inside.kind === 'folder')
      throw this.#refuse(`${inside.path} is a folder in the image; a file cannot replace it`)
    return this.#add(entry, inside)
  }

  async #placeTree(top: Place): Promise<void> {
    const { entries, to } = this.#copy
    if (top.kind === 'file') throw this.#refuse(`${to} is a file in the image; a folder cannot replace it`)
    const [folder, ...members] = entries
    const sizes = Map.groupBy(members, ({ path }) => posix.dirname(path))
    const folders = new Map<string, string>()
    const enter = async (path: string, place: Place, entry: ContextEntry | undefined): Promise<string> => {
      folders.set(path, place.path)
      if (place.kind === undefined) await this.#addFolder(place.path, entry?.mode)
      else if ((sizes.get(path)?.length ?? 0) > FEW_LOOKS) await this.#image.expectLooks(place.path)
      return place.path
    }
    // A folder can have members although its own entry was excluded.
    const find = async (path: string): Promise<string> =>
      folders.get(path) ??
      (await enter(path, await this.#placeFolder(path, await find(posix.dirname(path))), undefined))
    await enter('.', top, folder)
    for (const entry of members) {
      const parent = await find(posix.dirname(entry.path))
      if (entry.kind === 'folder') await enter(entry.path, await this.#placeFolder(entry.path, parent), entry)
      else await this.#placeMember(entry, posix.join(parent, posix.basename(entry.path)))
    }
  }

  async #placeFolder(path: string, parent: string): Promise<Place> {
    const inImage = posix.join(parent, posix.basename(path))
    const found = await this.#look(inImage)
    if (found === undefined) return { path: inImage, kind: undefined }
    const place = await this.#follow(inImage)
    if (place.kind === 'folder') return place
    const what = found.kind === 'link' ? `a link to ${found.target}, which is no folder` : 'a file'
    throw this.#refuse(`${inImage} is ${what} in the image; the folder ${path} cannot replace it`)
  }

  async #placeMember(entry: ContextEntry, path: string): Promise<void> {
    const found = await this.#look(path)
    const what = entry.kind === 'link' ? 'link' : 'file'
    if (found?.kind === 'folder')
      throw this.#refuse(`${path} is a folder in the image; the ${what} ${entry.path} cannot replace it`)
    if (found?.kind === 'link' && entry.kind !== 'link' && (await this.#follow(path)).kind === 'folder')
      throw this.#refuse(`${path} is a link to the folder ${found.target} in the image; a file cannot replace it`)
    await this.#add(entry, { path, kind: found && 'file' })
  }

  async #add(entry: ContextEntry, { path, kind }: Place): Promise<void> {
    if (kind === undefined) await this.#addFolder(posix.dirname(path))
    this.#push({ ...entry, path })
    this.#known.set(path, entry.kind === 'link' ? { kind: 'link', target: entry.target } : { kind: 'file' })
  }

  /** Adds a folder and its parents, unless they exist. */
  async #addFolder(path: string, mode = NEW_FOLDER_MODE): Promise<void> {
    if (path === '/' || (await this.#look(path)) !== undefined) return
    await this.#addFolder(posix.dirname(path))
    this.#push({ kind: 'folder', path, mode })
    this.#known.set(path, { kind: 'folder' })
  }

  #push(entry: ContextEntry): void {
    const replaced = replacedByEngine.find(({ paths }) => paths.test(entry.path))
    if (replaced !== undefined) throw this.#refuse(...wordReplaced(entry.path, replaced.way, this.#copy))
    const owner = this.#owner === undefined ? {} : { owner: this.#owner }
    const { modifiedAtS = entry.modifiedAtS } = this.#copy
    const time = modifiedAtS === undefined ? {} : { modifiedAtS }
    this.#entries.push({ ...entry, ...owner, ...time, path: entry.path.slice(1) })
  }

  #refuse(message: string, hint?: string): PlacementError {
    return new PlacementError(message, [...this.#copy.step.at, 'to'], hint)
  }
}
