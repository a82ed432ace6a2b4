import { close, read } from 'node:fs'
import { promisify } from 'node:util'
import { TestfleetError } from '../../../model/failures.ts'

const readBytes = promisify(read)
const closeFile = promisify(close)

/** Reads an opened file to its end, and closes it. ENGINE_REFUSED when it has more than this number of bytes. */
export async function readOpened(file: number, maxBytes: number, path: string): Promise<Buffer> {
  try {
    const parts: Buffer[] = []
    for (let length = 0; ; ) {
      const { bytesRead, buffer } = await readBytes(file, Buffer.allocUnsafe(64 << 10), 0, 64 << 10, null)
      if (bytesRead === 0) return Buffer.concat(parts)
      length += bytesRead
      if (length > maxBytes) throw new TestfleetError('ENGINE_REFUSED', `${path} has more than ${maxBytes} bytes`)
      parts.push(buffer.subarray(0, bytesRead))
    }
  } finally {
    await closeFile(file)
  }
}
