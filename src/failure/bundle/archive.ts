import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { packArchive } from '../../files/archive.ts'
import { slashPath } from '../../formats/paths.ts'
import { wordFileError } from '../../formats/word-error.ts'
import type { ContextEntry } from '../../model/plan.ts'

/** Packs the folder into one file: all of it, or the error. It is written beside and renamed, so that no half of one is ever there. */
export async function writeArchive(folder: string, archive: string, signal: AbortSignal): Promise<void> {
  const beside = join(dirname(archive), `.${basename(archive)}.${randomBytes(4).toString('hex')}`)
  try {
    const entries = await listEntries(folder)
    await pipeline(packArchive(entries), createGzip(), createWriteStream(beside, { mode: 0o600, flags: 'wx' }), {
      signal,
    })
    await rename(beside, archive)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {})
    throw new Error(`${archive}: ${wordFileError(error)}`, { cause: error })
  }
}

/** In one folder, so that unpacking fills no other. */
async function listEntries(folder: string): Promise<ContextEntry[]> {
  const top = basename(folder)
  const real = await realpath(folder)
  const found = await readdir(real, { recursive: true, withFileTypes: true })
  const entries = await Promise.all(
    found.map(async (entry): Promise<ContextEntry> => {
      const source = join(entry.parentPath, entry.name)
      const path = `${top}/${slashPath(real, source)}`
      if (entry.isDirectory()) return { kind: 'folder', path, mode: 0o700 }
      return { kind: 'file', path, mode: 0o600, source, roots: [real], ...(await measure(source)) }
    }),
  )
  entries.sort((a, b) => (a.path < b.path ? -1 : 1))
  return [{ kind: 'folder', path: top, mode: 0o700 }, ...entries]
}

async function measure(file: string): Promise<{ sizeBytes: number; digest: string }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    sizeBytes += chunk.length
  }
  return { sizeBytes, digest: hash.digest('hex') }
}
