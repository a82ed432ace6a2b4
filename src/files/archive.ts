import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createTarPacker, type TarHeader, unpackTar } from 'modern-tar'
import type { ContextEntry } from '../model/plan.ts'
import { changed, readOpened, withOpened } from './inside.ts'

/**
 * Modification time of all entries, so that equal content gives an equal archive. It is the earliest time that ZIP
 * supports.
 */
const MODIFIED = new Date(Date.UTC(1980, 0, 1))

/** Packs the entries as a tar stream. Fails with CONTEXT_CHANGED for a file that differs from its digest. */
export function packArchive(entries: readonly ContextEntry[]): Readable {
  const { readable, controller } = createTarPacker()
  const pack = async (): Promise<void> => {
    for (const entry of entries) {
      const sizeBytes = entry.kind === 'archive' ? await measureArchive(entry.entries) : 0
      const writer = controller.add(describeEntry(entry, sizeBytes)).getWriter()
      await writeEntry(entry, (chunk) => writer.write(chunk))
      await writer.close()
    }
    controller.finalize()
  }
  pack().catch((error) => controller.error(error))
  return Readable.fromWeb(readable as import('node:stream/web').ReadableStream)
}

const BLOCK_BYTES = 512

/** Returns the size of the archive of these entries in bytes. */
async function measureArchive(entries: readonly ContextEntry[]): Promise<number> {
  let sizeBytes = 0
  const { readable, controller } = createTarPacker()
  const pack = async (): Promise<void> => {
    for (const entry of entries) {
      const header = describeEntry(entry)
      sizeBytes += Math.ceil((header.size ?? 0) / BLOCK_BYTES) * BLOCK_BYTES
      await controller.add({ ...header, size: 0 }).close()
    }
    controller.finalize()
  }
  const packed = pack()
  for await (const chunk of readable) sizeBytes += chunk.byteLength
  await packed
  return sizeBytes
}

function describeEntry(entry: ContextEntry, archiveBytes = 0): TarHeader {
  const mtime = entry.modifiedAtS === undefined ? MODIFIED : new Date(entry.modifiedAtS * 1000)
  const shared = { mode: entry.mode, mtime, uid: 0, gid: 0, ...entry.owner }
  switch (entry.kind) {
    case 'folder':
      return { ...shared, name: `${entry.path}/`, type: 'directory', size: 0 }
    case 'link':
      return { ...shared, name: entry.path, type: 'symlink', linkname: entry.target, size: 0 }
    case 'text':
      return { ...shared, name: entry.path, type: 'file', size: Buffer.byteLength(entry.text) }
    case 'file':
      return { ...shared, name: entry.path, type: 'file', size: entry.sizeBytes }
    case 'archive':
      return { ...shared, name: entry.path, type: 'file', size: archiveBytes }
  }
}

/** Writes an entry's content, and checks that it still matches its digest. */
async function writeEntry(entry: ContextEntry, write: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  if (entry.kind === 'text') await write(Buffer.from(entry.text))
  if (entry.kind === 'archive') for await (const chunk of packArchive(entry.entries)) await write(chunk as Uint8Array)
  if (entry.kind !== 'file') return
  await withOpened(entry.source, 'file', entry.roots, async (opened) => {
    const hash = createHash('sha256')
    let left = entry.sizeBytes
    for await (const chunk of readOpened(opened)) {
      left -= chunk.length
      if (left < 0) throw changed(entry.source)
      hash.update(chunk)
      await write(chunk)
    }
    if (hash.digest('hex') !== entry.digest) throw changed(entry.source)
  })
}

/** Returns the files of a tar archive by path, without links and folders. */
export async function unpackFiles(archive: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const entries = await unpackTar(archive)
  const files = entries.filter(({ header }) => header.type === 'file')
  return new Map(files.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString('utf8')]))
}
