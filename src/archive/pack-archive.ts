import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createTarPacker, type TarHeader } from 'modern-tar'
import { TestfleetError } from '../model/failures.ts'
import type { ContextEntry } from '../model/plan.ts'

/** One time for all files, as an archive with no other content would differ by it alone; ZIP knows none before it. */
const MODIFIED = new Date(Date.UTC(1980, 0, 1))

/** The entries as a tar stream. A file that is no longer what its digest was taken of fails with CONTEXT_CHANGED. */
export function packArchive(entries: readonly ContextEntry[]): Readable {
  const { readable, controller } = createTarPacker()
  const pack = async (): Promise<void> => {
    for (const entry of entries) {
      const writer = controller.add(describeEntry(entry)).getWriter()
      for await (const chunk of readEntry(entry)) await writer.write(chunk)
      await writer.close()
    }
    controller.finalize()
  }
  pack().catch((error) => controller.error(error))
  return Readable.fromWeb(readable as import('node:stream/web').ReadableStream)
}

function describeEntry(entry: ContextEntry): TarHeader {
  const shared = { mode: entry.mode, mtime: MODIFIED, uid: 0, gid: 0 }
  switch (entry.kind) {
    case 'folder':
      return { ...shared, name: `${entry.path}/`, type: 'directory', size: 0 }
    case 'link':
      return { ...shared, name: entry.path, type: 'symlink', linkname: entry.target, size: 0 }
    case 'text':
      return { ...shared, name: entry.path, type: 'file', size: Buffer.byteLength(entry.text) }
    case 'file':
      return { ...shared, name: entry.path, type: 'file', size: entry.sizeBytes }
  }
}

async function* readEntry(entry: ContextEntry): AsyncGenerator<Uint8Array> {
  if (entry.kind === 'text') yield Buffer.from(entry.text)
  if (entry.kind !== 'file') return
  const hash = createHash('sha256')
  let left = entry.sizeBytes
  for await (const chunk of readFile(entry.source)) {
    left -= chunk.length
    if (left < 0) throw changed(entry.source)
    hash.update(chunk)
    yield chunk
  }
  if (hash.digest('hex') !== entry.digest) throw changed(entry.source)
}

async function* readFile(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' ? changed(path) : error
  }
}

function changed(path: string): TestfleetError {
  return new TestfleetError('CONTEXT_CHANGED', `${path} changed while it was read`, { hint: 'Run the command again.' })
}
