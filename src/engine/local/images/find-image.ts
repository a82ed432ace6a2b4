import { lstat } from 'node:fs/promises'
import { parseImageReference, tagReference } from '../../../formats/image-reference.ts'
import { listNames, readName, readRecord, undefinedIfGone } from '../store.ts'
import type { ImageRecord, Local } from '../types.ts'

/** A name of an image. */
export interface NamedImage {
  /** In familiar form, such as `debian:bookworm-slim`. */
  readonly reference: string
  readonly id: string
}

/** Part of the names that keep images without a name: their ids. */
const ID = /^(?:sha256:)?([0-9a-f]{6,64})$/

/** Returns the image with this name, id, or beginning of an id; undefined when the store has none. */
export async function findImage({ store }: Local, reference: string): Promise<ImageRecord | undefined> {
  const named = await readName(store.path('references'), fileOf(reference))
  const [, digits] = ID.exec(reference) ?? []
  if (named === undefined && digits === undefined) return undefined
  const id = named ?? (await completeId(store.path('images'), digits ?? ''))
  return id === undefined ? undefined : readRecord<ImageRecord>(recordPath({ store }, id))
}

export function recordPath({ store }: Pick<Local, 'store'>, id: string): string {
  return store.path('images', `${digitsOf(id)}.json`)
}

/** Path of the configuration as it is in archives. The image's id is the SHA-256 of these bytes. */
export function configPath({ store }: Pick<Local, 'store'>, id: string): string {
  return store.path('configs', `${digitsOf(id)}.json`)
}

function digitsOf(id: string): string {
  return id.replace(/^sha256:/, '')
}

async function completeId(folder: string, digits: string): Promise<string | undefined> {
  const found = (await listNames(folder)).filter((name) => name.startsWith(digits))
  const [only, ...others] = found
  return only === undefined || others.length > 0 ? undefined : `sha256:${only.replace(/\.json$/, '')}`
}

/** Lists all names of images. An image without a name has its id as one, which keeps it. */
export async function listReferences({ store }: Local): Promise<readonly NamedImage[]> {
  const folder = store.path('references')
  const names = await listNames(folder)
  const read = names.map(async (name) => {
    const id = await readName(folder, name)
    return id === undefined ? [] : [{ reference: decodeURIComponent(name), id }]
  })
  return (await Promise.all(read)).flat()
}

export function isName(reference: string): boolean {
  return !reference.startsWith('sha256:')
}

/** Time when an image got this name; 0 when it has gone. */
export async function namedAtMs({ store }: Local, reference: string): Promise<number> {
  const stats = await lstat(store.path('references', fileOf(reference))).catch(undefinedIfGone)
  return Math.floor(stats?.mtimeMs ?? 0)
}

/** Name of the link in `references/` for a reference in any form. */
export function fileOf(reference: string): string {
  return encodeURIComponent(familiar(reference))
}

/** The reference as people write it, with its tag: `docker.io/library/debian` is `debian:latest`. */
export function familiar(reference: string): string {
  if (!isName(reference)) return reference
  const { digest, tag } = parseImageReference(reference)
  if (digest === undefined) return tagReference(reference)
  const name = tagReference(reference)
  return `${tag === undefined ? name.replace(/:latest$/, '') : name}@${digest}`
}
