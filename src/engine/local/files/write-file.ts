import { closeSync, constants, ftruncateSync, openSync, write } from 'node:fs'
import { promisify } from 'node:util'
import { inFolder } from './descriptors.ts'
import { unsound } from './tar-header.ts'
import type { TarEntry } from './tar-reader.ts'

const writeBytes = promisify(write)

/** Creates a file in an opened folder, with the content of an entry. Fails when anything has its name. */
export async function writeFile(folder: number, name: string, entry: TarEntry): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file = openSync(inFolder(folder, name), flags, 0o600)
  try {
    const size = entry.sparse?.size ?? entry.size
    const parts = entry.sparse?.parts ?? [{ at: 0, length: entry.size }]
    if (!parts.every(({ at, length }) => at >= 0 && length >= 0 && at + length <= size)) {
      throw unsound('the map of a sparse file is damaged')
    }
    let index = 0
    let done = 0
    for await (const chunk of entry.content()) {
      for (let from = 0; from < chunk.length; ) {
        while ((parts[index]?.length ?? Infinity) === done) [index, done] = [index + 1, 0]
        const part = parts[index]
        if (part === undefined) throw unsound('the map of a sparse file is damaged')
        const count = Math.min(chunk.length - from, part.length - done)
        const { bytesWritten } = await writeBytes(file, chunk, from, count, part.at + done)
        from += bytesWritten
        done += bytesWritten
      }
    }
    if (entry.sparse !== undefined) ftruncateSync(file, size)
  } finally {
    closeSync(file)
  }
}
