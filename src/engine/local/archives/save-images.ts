import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { TestfleetError } from '../../../model/failures.ts'
import type { CallOptions } from '../../engine.ts'
import { openWorkshop, type Workshop } from '../build/layer.ts'
import { ByteReader } from '../files/byte-reader.ts'
import { BLOCK, padding, type TarHeader, writeHeader } from '../files/tar-header.ts'
import { readTar, type TarEntry } from '../files/tar-reader.ts'
import { configPath, familiar, findImage } from '../images/find-image.ts'
import { startProgram } from '../programs.ts'
import { undefinedIfGone } from '../store.ts'
import type { ImageRecord, Local } from '../types.ts'
import { writeConfig } from './image-json.ts'

/** A layer as a tar archive. */
interface PackedLayer {
  readonly digest: string
  readonly path: string
  readonly size: number
}

/** Streams images as an archive of `docker save`. NOT_FOUND. */
export async function* saveImages(
  local: Local,
  references: readonly string[],
  { signal }: CallOptions = {},
): AsyncGenerator<Buffer, void, void> {
  const images: { readonly image: ImageRecord; readonly reference: string }[] = []
  for (const reference of references) {
    const image = await findImage(local, reference)
    if (image === undefined) throw new TestfleetError('NOT_FOUND', `there is no image ${reference}`)
    images.push({ image, reference: familiar(reference) })
  }
  const workshop = await openWorkshop(local)
  try {
    const layers = new Map<string, PackedLayer>()
    for (const id of new Set(images.flatMap(({ image }) => image.layers)))
      layers.set(id, await packLayer(local, workshop, id, signal))
    const manifest: object[] = []
    for (const [id, same] of Map.groupBy(images, ({ image }) => image.id)) {
      const packed = same[0]?.image.layers.flatMap((layer) => layers.get(layer) ?? []) ?? []
      const config = await configOf(local, id, same[0]?.image, packed)
      const name = `${createHash('sha256').update(config).digest('hex')}.json`
      yield* member(name, config)
      const tags = same.map(({ reference }) => reference)
      manifest.push({ Config: name, RepoTags: tags, Layers: packed.map(({ digest }) => `${digest}.tar`) })
    }
    yield* packedMembers(layers.values(), signal)
    yield* member('manifest.json', Buffer.from(JSON.stringify(manifest)))
    yield Buffer.alloc(2 * BLOCK)
  } finally {
    await workshop.close()
  }
}

async function* packedMembers(layers: Iterable<PackedLayer>, signal: AbortSignal | undefined) {
  const written = new Set<string>()
  for (const { digest, path, size } of layers) {
    if (written.has(digest)) continue
    written.add(digest)
    yield writeHeader(headerOf(`${digest}.tar`, size))
    for await (const chunk of createReadStream(path)) {
      signal?.throwIfAborted()
      yield chunk as Buffer
    }
    yield padding(size)
  }
}

function* member(name: string, content: Buffer): Generator<Buffer, void, void> {
  yield writeHeader(headerOf(name, content.length))
  yield content
  yield padding(content.length)
}

function headerOf(name: string, size: number): TarHeader {
  return {
    ...{ kind: 'file', name, target: '', mode: 0o644, uid: 0, gid: 0, size, modifiedAt: 0 },
    device: { major: 0, minor: 0 },
  }
}

/** An image that was loaded keeps its configuration, and so its id, if its layers are packed as they were. */
async function configOf(
  local: Local,
  id: string,
  image: ImageRecord | undefined,
  packed: readonly PackedLayer[],
): Promise<Buffer> {
  const diffs = packed.map(({ digest }) => digest)
  const kept = await readFile(configPath(local, id)).catch(undefinedIfGone)
  if (kept !== undefined) {
    const json = JSON.parse(kept.toString('utf8'))
    json.rootfs = { type: 'layers', diff_ids: diffs.map((digits) => `sha256:${digits}`) }
    return Buffer.from(JSON.stringify(json))
  }
  if (image === undefined) throw new TestfleetError('NOT_FOUND', `there is no image ${id}`)
  return Buffer.from(JSON.stringify(writeConfig(image, diffs)))
}

/** Packs a layer, with the whiteouts of an archive instead of those of overlayfs. */
async function packLayer(
  local: Local,
  workshop: Workshop,
  id: string,
  signal: AbortSignal | undefined,
): Promise<PackedLayer> {
  const folder = local.store.path('layers', id)
  if ((await stat(folder).catch(undefinedIfGone)) === undefined)
    throw new TestfleetError('NOT_FOUND', `the layer ${id} of an image is gone`, {
      hint: 'Build or load the image again.',
    })
  const words = [
    ...['--create', '--format=pax', '--sort=name', '--numeric-owner', '--xattrs'],
    ...['--xattrs-include=trusted.overlay.opaque', '--xattrs-include=user.overlay.opaque'],
    ...['--pax-option=delete=atime,delete=ctime', '--directory', folder, '.'],
  ]
  const child = startProgram(local.machine, 'tar', words, ['ignore', 'pipe', 'ignore'])
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  ended.catch(() => {})
  const path = join(workshop.folder, `${id}.tar`)
  const hash = createHash('sha256')
  try {
    await pipeline(convert(child.stdout as AsyncIterable<Buffer>, hash), createWriteStream(path, { mode: 0o600 }), {
      ...(signal && { signal }),
    })
  } finally {
    child.kill('SIGKILL')
  }
  if ((await ended) !== 0) throw new TestfleetError('ENGINE_REFUSED', `the layer ${id} could not be packed by tar`)
  const digest = hash.digest('hex')
  return { digest, path, size: (await stat(path)).size }
}

async function* convert(archive: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>) {
  const reader = new ByteReader(archive)
  const out = (bytes: Buffer): Buffer => {
    hash.update(bytes)
    return bytes
  }
  for await (const entry of readTar(reader)) {
    const header = archived(entry)
    yield out(writeHeader(header))
    if (entry.isOpaque) yield out(writeHeader(headerOf(posix.join(entry.name, '.wh..wh..opq'), 0)))
    for await (const part of entry.content()) yield out(part)
    if (header.size > 0) yield out(padding(header.size))
  }
  yield out(Buffer.alloc(2 * BLOCK))
}

/** A device without numbers is what overlayfs hides a name with. */
function archived(entry: TarEntry): TarHeader {
  const { kind, name, device } = entry
  const isWhiteout = kind === 'characterDevice' && device.major === 0 && device.minor === 0
  if (!isWhiteout) return { ...entry, modifiedAt: Math.floor(entry.modifiedAt) }
  return headerOf(posix.join(posix.dirname(name), `.wh.${posix.basename(name)}`), 0)
}
