import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { packArchive } from '../../files/archive.ts'
import { replaceFile } from '../../files/replace-file.ts'
import { slashPath } from '../../formats/paths.ts'
import { wordFileError } from '../../formats/word-error.ts'
import type { ContextEntry } from '../../model/plan.ts'

/** Packs the folder into an archive, which appears as a whole or not at all. */
export async function writeArchive(folder: string, archive: string, signal: AbortSignal): Promise<void> {
  try {
    const entries = await listEntries(folder)
    await replaceFile(archive, (beside) => {
      const file = createWriteStream(beside, { mode: 0o600, flags: 'wx' })
      return pipeline(packArchive(entries), createGzip(), file, { signal })
    })
  } catch (error) {
    throw new Error(`${archive}: ${wordFileError(error)}`, { cause: error })
  }
}

/** Lists everything below one top folder, so that unpacking creates only that folder. */
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
