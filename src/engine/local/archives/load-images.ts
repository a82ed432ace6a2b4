import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { isFailure, TestfleetError } from '../../../model/failures.ts'
import { onAbort } from '../../../model/on-abort.ts'
import { say } from '../../../model/surface.ts'
import type { CallOptions } from '../../engine.ts'
import { hasLayer, openWorkshop, readSize, type Workshop } from '../build/layer.ts'
import { ByteReader } from '../files/byte-reader.ts'
import { readTar } from '../files/tar-reader.ts'
import { configPath, recordPath } from '../images/find-image.ts'
import { nameImage } from '../images/references.ts'
import { makeFolder, writeRecord } from '../store.ts'
import type { ImageRecord, Local } from '../types.ts'
import { ARCHITECTURE, type ImageJson, readConfig } from './image-json.ts'
import { type ArchivedImage, listImages, type Members } from './list-images.ts'
import { unpackLayer } from './unpack-layer.ts'

const MOST_MEMBERS = 100_000

/** Loads the images of an archive. ARCHIVE_UNUSABLE; the archive's own error is what the call rejects with. */
export async function loadImages(
  local: Local,
  archive: Readable,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  archive.on('error', () => {})
  if (archive.errored) throw archive.errored
  signal?.throwIfAborted()
  const workshop = await openWorkshop(local)
  const stopListening = onAbort(signal, () => archive.destroy(signal?.reason))
  try {
    const members = await unpackMembers(archive, workshop.folder, signal)
    const loaded: string[] = []
    for (const image of await explaining(listImages(members))) {
      const { id } = await explaining(keepImage(local, workshop, image, members, signal))
      for (const name of image.references) await nameImage(local, name, id)
      loaded.push(...(image.references.length === 0 ? [id] : image.references))
      if (image.references.length === 0) await nameImage(local, id, id)
    }
    return loaded
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  } finally {
    stopListening()
    archive.destroy()
    await workshop.close()
  }
}

/** Writes each member into a file of its own. */
async function unpackMembers(archive: Readable, folder: string, signal: AbortSignal | undefined): Promise<Members> {
  const files = new Map<string, string>()
  const links = new Map<string, string>()
  const reader = new ByteReader(archive)
  try {
    for await (const { kind, name, target, content } of readTar(reader)) {
      signal?.throwIfAborted()
      const path = posix.resolve('/', name).slice(1)
      if (files.size + links.size > MOST_MEMBERS) throw new Error('it has too many members')
      if (kind === 'link') links.set(path, posix.resolve('/', posix.dirname(path), target).slice(1))
      if (kind === 'hardLink') links.set(path, posix.resolve('/', target).slice(1))
      if (kind !== 'file') continue
      const file = join(folder, `member-${files.size}`)
      await pipeline(content(), createWriteStream(file, { mode: 0o600, flags: 'wx' }))
      files.set(path, file)
    }
  } catch (error) {
    if (reader.failure !== undefined) throw reader.failure.error
    throw unusable(error)
  } finally {
    await reader.close()
  }
  return { fileOf: (name) => files.get(name) ?? files.get(links.get(name) ?? '') }
}

async function explaining<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw unusable(error)
  })
}

function unusable(error: unknown): unknown {
  if (isFailure(error, 'ARCHIVE_UNUSABLE')) return error
  const { message, code } = error as NodeJS.ErrnoException
  const isFull = code === 'ENOSPC'
  const hint = isFull
    ? 'Make room on the disk of the store.'
    : `Write it with ${say('saveImages')} or \`docker save\`, and copy it whole.`
  return new TestfleetError('ARCHIVE_UNUSABLE', `the engine cannot load the archive: ${message}`, {
    hint,
    cause: error,
  })
}

const LONGEST_CONFIG = 16 << 20

async function keepImage(
  local: Local,
  workshop: Workshop,
  { config, layers }: ArchivedImage,
  members: Members,
  signal: AbortSignal | undefined,
): Promise<ImageRecord> {
  const bytes = await readConfigFile(config, members)
  const json = JSON.parse(bytes.toString('utf8')) as ImageJson
  const ids = await keepLayers(local, workshop, checkLayers(json, layers), members, signal)
  const id = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const sizes = await Promise.all(ids.map((one) => readSize(local, one)))
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0)
  const createdAtMs = Date.parse(json.created ?? '') || 0
  const image: ImageRecord = {
    ...{ id, createdAtMs, layers: ids, config: readConfig(json), sizeBytes, architecture: ARCHITECTURE },
  }
  await Promise.all(['images', 'configs'].map((name) => makeFolder(local.store.path(name))))
  await writeFile(configPath(local, id), bytes, { mode: 0o600 })
  await writeRecord(recordPath(local, id), image)
  return image
}

async function readConfigFile(name: string, members: Members): Promise<Buffer> {
  const file = members.fileOf(name)
  if (file === undefined) throw lacks(name)
  if ((await stat(file)).size > LONGEST_CONFIG) throw new Error('the configuration of an image is too long')
  return readFile(file)
}

interface NamedLayer {
  /** Name of the member. */
  readonly name: string
  /** Hexadecimal SHA-256 of the tar archive. */
  readonly digest: string
}

/** Compares the layers of an archive with those that the image wants. */
function checkLayers({ architecture, rootfs }: ImageJson, names: readonly string[]): readonly NamedLayer[] {
  if (architecture && architecture !== ARCHITECTURE)
    throw new Error(`an image in it is for ${architecture}, and this machine is ${ARCHITECTURE}`)
  const diffs = (rootfs?.diff_ids ?? []).map((text) => /^sha256:([0-9a-f]{64})$/.exec(text)?.[1])
  const layers = names.map((name, index) => ({ name, digest: diffs[index] ?? '' }))
  if (diffs.length !== names.length || layers.some(({ digest }) => digest === ''))
    throw new Error('the layers of an image are not those of its configuration')
  return layers
}

/** Unpacks the layers that the store does not have. The id of a layer covers those below it, too. */
async function keepLayers(
  local: Local,
  workshop: Workshop,
  layers: readonly NamedLayer[],
  members: Members,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (const { name, digest } of layers) {
    const below = ids.at(-1)
    const id = below === undefined ? digest : createHash('sha256').update(`${below} ${digest}`).digest('hex')
    if (!(await hasLayer(local, id))) {
      const path = members.fileOf(name)
      if (path === undefined) throw lacks(name)
      await unpackLayer(local, workshop, await openLayer(path), { id, below: ids, digest }, signal)
    }
    ids.push(id)
  }
  return ids
}

function lacks(name: string): Error {
  return new Error(`it lacks ${name}, which an image in it needs`)
}

/** A layer may be compressed. */
async function openLayer(path: string): Promise<AsyncIterable<Uint8Array>> {
  const file = createReadStream(path)
  const [start] = await Readable.from(createReadStream(path, { end: 3 })).toArray()
  const magic = Buffer.from((start as Buffer | undefined) ?? [])
  if (magic[0] === 0x1f && magic[1] === 0x8b) {
    const unzipped = createGunzip()
    file.on('error', (error) => unzipped.destroy(error))
    return file.pipe(unzipped)
  }
  if (magic.equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]))) {
    file.destroy()
    throw new Error('its layers are compressed with zstd, which is not supported')
  }
  return file
}
