import { createWriteStream, realpathSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { Engine } from '../engine/engine.ts'
import { ifThere } from '../files/inside.ts'
import { refuseOtherFile, requireWritableFolder } from '../files/output-file.ts'
import { replaceFile } from '../files/replace-file.ts'
import { BadArchive } from '../files/tar-index.ts'
import { tagReference } from '../formats/image-reference.ts'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import { readImageArchive } from './image-archive.ts'

export interface SavedImages {
  readonly images: readonly SavedImage[]
  /** Size of the archive. */
  readonly bytes: number
  /** Whether it was written; false when the file already had these images. */
  readonly isNew: boolean
}

export interface SavedImage {
  readonly reference: string
  /** The engine's id of the image. */
  readonly id: string
}

export interface WriteTools {
  readonly engine: Pick<Engine, 'saveImages' | 'location'>
  readonly host: { readonly workingFolder: string }
  readonly signal: AbortSignal
}

/**
 * Writes an archive of these images to a file, which is replaced in one step, and kept when it has exactly these images. Fails
 * with USAGE when it cannot be written, with ENGINE_LOST when the engine does not finish it.
 */
export async function writeFile(
  images: readonly SavedImage[],
  named: string,
  { host, ...tools }: WriteTools,
): Promise<SavedImages> {
  const path = await resolveArchive(named, host)
  const known = ifThere((it) => statSync(it), path)
  if (known !== undefined && (await holds(path, images))) return { images, bytes: known.size, isNew: false }
  let bytes = 0
  try {
    await replaceFile(path, async (beside) => {
      const file = createWriteStream(beside, { flags: 'wx', flush: true })
      bytes = await pump(images, file, tools)
      await finished(file.end())
      if (!(await holds(beside, images))) throw unfinished(tools.engine.location.url)
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw notWritable(named, error)
  }
  return { images, bytes, isNew: true }
}

/** Returns the real path of an archive to write. Fails with USAGE when there is a file of another kind, or no file. */
export async function resolveArchive(named: string, { workingFolder }: WriteTools['host']): Promise<string> {
  const given = resolve(workingFolder, named)
  const path = ifThere<string>(realpathSync.native, given) ?? given
  const known = ifThere((it) => statSync(it), path)
  // Replacing a device, such as /dev/null, would remove it for everyone.
  if (known !== undefined && !known.isFile()) throw refused(`${named} is not a file`)
  await refuseOtherFile(path, named, { what: 'the images', isOwn: isImageArchive })
  await requireWritableFolder(path).catch((error: unknown) => {
    throw notWritable(named, error)
  })
  return path
}

function notWritable(named: string, error: unknown): TestfleetError {
  return refused(`${named} cannot be written: ${wordFileError(error)}`, error)
}

function refused(message: string, cause?: unknown): TestfleetError {
  return new TestfleetError('USAGE', message, { cause, hint: 'Name a file that can be written.' })
}

const MOST_NAME_BYTES = 100

/** By the name of its first entry, which an incomplete one has, too. An entry of Go's PAX headers comes before it. */
function isImageArchive(start: Buffer): boolean {
  const name =
    start
      .toString('latin1', 0, MOST_NAME_BYTES)
      .split('\0')[0]
      ?.replace(/^PaxHeaders\.\d+\//, '') ?? ''
  return /^(?:[0-9a-f]{64}(?:$|[./])|blobs(?:$|\/)|(?:manifest|index)\.json$|oci-layout$|repositories$)/.test(name)
}

/** Whether a file is an archive of exactly these images. */
async function holds(path: string, images: readonly SavedImage[]): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const archive = await readImageArchive(file)
    const found = archive.images.flatMap(({ id, references }) =>
      references.map((name) => `${tagReference(name)} ${id}`),
    )
    const wanted = images.map(({ reference, id }) => `${reference} ${id}`)
    return found.length === wanted.length && wanted.every((one) => found.includes(one))
  } catch (error) {
    if (error instanceof BadArchive) return false
    throw error
  } finally {
    await file.close()
  }
}

/** A tar archive ends with two empty blocks. */
const END_BYTES = 1024

/** Writes the archive to a stream, which stays open. Resolves with the number of bytes. Fails with USAGE when nobody reads it. */
export async function writeStream(
  images: readonly SavedImage[],
  to: Writable,
  tools: Omit<WriteTools, 'host'>,
): Promise<number> {
  try {
    return await pump(images, to, tools)
  } catch (error) {
    if (to.errored === null || to.errored !== error) throw error
    throw new TestfleetError('USAGE', `the archive cannot be written: ${wordFileError(error)}`, { cause: error })
  }
}

async function pump(
  images: readonly SavedImage[],
  to: Writable,
  { engine, signal }: Omit<WriteTools, 'host'>,
): Promise<number> {
  let bytes = 0
  let end: Uint8Array = Buffer.alloc(0)
  const references = images.map(({ reference }) => reference)
  async function* count() {
    for await (const chunk of engine.saveImages(references, { signal })) {
      bytes += chunk.length
      end = chunk.length >= END_BYTES ? chunk : Buffer.concat([end.subarray(-END_BYTES), chunk])
      yield chunk
    }
    // An engine that fails on the way writes its error into the archive (20.10), or stops.
    const last = end.subarray(-END_BYTES)
    if (last.length < END_BYTES || last.some((byte) => byte !== 0)) throw unfinished(engine.location.url)
  }
  try {
    await pipeline(count, to, { signal, end: false })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  return bytes
}

function unfinished(engine: string): TestfleetError {
  return new TestfleetError('ENGINE_LOST', `the engine at ${engine} did not finish the archive`, {
    hint: "Look at the engine's log.",
  })
}
