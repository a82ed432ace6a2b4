import type { FileHandle } from 'node:fs/promises'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { createTarPacker } from 'modern-tar'
import { type ArchiveMember, BadArchive, listMembers, readAt } from '../files/tar-index.ts'
import { isBlock } from '../formats/block.ts'

/** An image in an archive of `docker save`. */
export interface ArchivedImage {
  /** Id by which most engines know it, such as `sha256:…`; undefined when its name in the archive has no digest. */
  readonly id: string | undefined
  readonly references: readonly string[]
  /** Its entry in the archive's list of images. */
  readonly entry: ManifestEntry
}

export interface ImageArchive {
  readonly file: FileHandle
  readonly members: readonly ArchiveMember[]
  readonly images: readonly ArchivedImage[]
}

interface ManifestEntry {
  readonly Config: string
  readonly RepoTags: readonly string[] | null
  readonly Layers: readonly string[]
}

const MANIFEST = 'manifest.json'
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024

/** Reads which images an archive has, without reading their layers. Fails with `BadArchive`. */
export async function readImageArchive(file: FileHandle): Promise<ImageArchive> {
  const members = await listMembers(file)
  const manifest = members.findLast(({ name, kind }) => name === MANIFEST && kind === 'file')
  if (manifest === undefined) throw new BadArchive('is an archive without images')
  if (manifest.sizeBytes > MAX_MANIFEST_BYTES) throw new BadArchive('has a list of images that is too long')
  const text = (await readAt(file, manifest.contentAt, manifest.sizeBytes)).toString('utf8')
  const entries = parseManifest(text)
  const known = new Set(members.map(({ name }) => name))
  const missing = entries.flatMap(({ Config, Layers }) => [Config, ...Layers]).find((name) => !known.has(name))
  if (missing !== undefined) throw new BadArchive(`lacks ${missing}, which an image in it needs`)
  const images = entries.map((entry) => {
    const [, digest] = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(entry.Config) ?? []
    return { id: digest && `sha256:${digest}`, references: entry.RepoTags ?? [], entry }
  })
  return { file, members, images }
}

function parseManifest(text: string): readonly ManifestEntry[] {
  try {
    const entries: unknown = JSON.parse(text)
    if (Array.isArray(entries) && entries.every(isEntry)) return entries
  } catch {}
  throw new BadArchive('has a list of images that cannot be read')
}

function isEntry(value: unknown): value is ManifestEntry {
  if (!isBlock(value)) return false
  const { Config, RepoTags, Layers } = value
  const isList = (list: unknown): boolean => Array.isArray(list) && list.every((item) => typeof item === 'string')
  return typeof Config === 'string' && (RepoTags === null || isList(RepoTags)) && isList(Layers)
}

/**
 * Streams the archive with only these of its images. Archives that also have an OCI layout are streamed whole: engines that
 * read it know an image by a digest that covers the layout's own lists.
 */
export function packImages(archive: ImageArchive, images: readonly ArchivedImage[]): Readable {
  const isWhole = images.length === archive.images.length || archive.members.some(({ name }) => name === 'oci-layout')
  return Readable.from(isWhole ? readFrom(archive.file, 0) : packSome(archive, images))
}

async function* packSome({ file, members }: ImageArchive, images: readonly ArchivedImage[]): AsyncGenerator<Buffer> {
  const byName = new Map(members.map((member) => [member.name, member]))
  const needed = new Set<ArchiveMember>()
  const add = (name: string): void => {
    const member = byName.get(name)
    if (member === undefined || needed.has(member)) return
    needed.add(member)
    // A layer that several images have is stored once.
    if (member.kind === 'link') add(posix.join(posix.dirname(name), member.target))
    if (member.kind === 'hard link') add(posix.normalize(member.target))
  }
  for (const { entry } of images) for (const name of [entry.Config, ...entry.Layers]) add(name)
  // In the order of the archive: a hard link comes after its target.
  for (const member of members) if (needed.has(member)) yield* readFrom(file, member.start, member.end)
  yield* packManifest(images)
}

async function* packManifest(images: readonly ArchivedImage[]): AsyncGenerator<Buffer> {
  const content = Buffer.from(JSON.stringify(images.map(({ entry }) => entry)))
  const { readable, controller } = createTarPacker()
  const pack = async (): Promise<void> => {
    const writer = controller.add({ name: MANIFEST, type: 'file', mode: 0o644, size: content.length }).getWriter()
    await writer.write(content)
    await writer.close()
    controller.finalize()
  }
  const packed = pack()
  for await (const chunk of readable) yield Buffer.from(chunk)
  await packed
}

/** Reads a part of the file; to its end by default. Fails with `BadArchive` when the file became shorter. */
async function* readFrom(file: FileHandle, start: number, end?: number): AsyncGenerator<Buffer> {
  const last = end ?? (await file.stat()).size
  for (let at = start; at < last; ) {
    const chunk = await readAt(file, at, Math.min(CHUNK_BYTES, last - at))
    if (chunk.length === 0) throw new BadArchive('is incomplete')
    at += chunk.length
    yield chunk
  }
}
