import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { BadArchive, readAt } from './files/tar-index.ts'
import { wordFileError } from './formats/word-error.ts'
import { type ArchivedImage, packImages, readImageArchive } from './images/image-archive.ts'
import { TestfleetError } from './model/failures.ts'
import { say } from './model/surface.ts'
import type { Tools } from './tools.ts'

export interface LoadedImage {
  readonly reference: string
  /** Whether it was loaded; false when the engine had it. */
  readonly isNew: boolean
}

/** A name that testfleet gives, which is a digest of the content. An image that has it may be in use, and is kept. */
const DIGEST_NAME = /^testfleet\/[^:]+:[0-9a-f]{16}$/

/**
 * Loads the images of an archive into the engine. Of a file, only the images that the engine lacks are sent; a stream is
 * sent whole, and the engine skips the layers that it has. Fails with ARCHIVE_UNUSABLE.
 */
export async function loadImages(from: string | Readable, tools: Tools): Promise<readonly LoadedImage[]> {
  if (typeof from !== 'string') return loadStream(from, tools)
  const file = await openArchive(from, tools.host.workingFolder)
  try {
    const load = (await isCompressed(file)) ? loadStream(file.createReadStream(), tools) : loadFile(file, tools)
    // An engine writes the images of an archive in any order.
    return (await load).toSorted((one, other) => (one.reference < other.reference ? -1 : 1))
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error
    const hint = `Write it with ${say('saveImages')} or \`docker save\`, and copy it whole.`
    throw new TestfleetError('ARCHIVE_UNUSABLE', `${from} ${error.message}`, { hint, cause: error })
  } finally {
    await file.close().catch(() => {})
  }
}

async function openArchive(path: string, folder: string): Promise<FileHandle> {
  try {
    const file = await open(resolve(folder, path), 'r')
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (error) {
    throw new TestfleetError('USAGE', `${path} cannot be read: ${wordFileError(error)}`, { cause: error })
  }
  throw new TestfleetError('USAGE', `${path} is not a file`, {
    hint: 'Name an archive of images.',
  })
}

/** Whether it is packed with gzip, bzip2, xz or zstd, which the engine unpacks. */
async function isCompressed(file: FileHandle): Promise<boolean> {
  return /^(?:1f8b|425a68|fd377a585a00|28b52ffd)/.test((await readAt(file, 0, 6)).toString('hex'))
}

async function loadStream(stream: Readable, { engine, signal }: Tools): Promise<readonly LoadedImage[]> {
  const loaded = await engine.loadImages(stream, { signal })
  if (loaded.length === 0) throw new TestfleetError('ARCHIVE_UNUSABLE', 'the archive has no images')
  return loaded.map((reference) => ({ reference, isNew: true }))
}

async function loadFile(file: FileHandle, { engine, signal }: Tools): Promise<readonly LoadedImage[]> {
  const archive = await readImageArchive(file)
  const isPresent = async (image: ArchivedImage): Promise<boolean> => {
    const found = await Promise.all(
      namesOf(image).map(async (name) => {
        const known = await engine.inspectImage(name, { signal })
        return known !== undefined && (known.id === image.id || DIGEST_NAME.test(name))
      }),
    )
    return found.every(Boolean)
  }
  const present = await Promise.all(archive.images.map(isPresent))
  const missing = archive.images.filter((_, index) => !present[index])
  if (missing.length > 0) await engine.loadImages(packImages(archive, missing), { signal })
  for (const name of missing.flatMap(namesOf)) {
    if ((await engine.inspectImage(name, { signal })) !== undefined) continue
    throw new TestfleetError('ARCHIVE_UNUSABLE', `the engine has read the archive and still lacks ${name}`)
  }
  return archive.images.flatMap((image) =>
    namesOf(image).map((reference) => ({ reference, isNew: missing.includes(image) })),
  )
}

function namesOf({ references, id = '' }: ArchivedImage): readonly string[] {
  return references.length > 0 ? references : [id]
}
