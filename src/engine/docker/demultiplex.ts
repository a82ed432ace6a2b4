import type { OutputChunk } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'

const headerBytes = 8

/**
 * Takes Docker's frames apart: a byte for the stream (0 standard input, 1 output, 2 error, 3 the engine's own error),
 * three of zero, four of the length, then so many bytes. Chunks of the connection split them anywhere. What is there of
 * a frame is given at once, so that a long one costs no memory and no waiting.
 */
export async function* demultiplex(chunks: AsyncIterable<Buffer>): AsyncGenerator<OutputChunk, void, void> {
  let header = Buffer.alloc(0)
  let kind = 0
  let left = 0
  let engineError = ''
  for await (const chunk of chunks) {
    let rest = chunk
    while (rest.length > 0) {
      if (left === 0) {
        const missing = headerBytes - header.length
        header = Buffer.concat([header, rest.subarray(0, missing)])
        rest = rest.subarray(missing)
        if (header.length < headerBytes) break
        kind = header.readUInt8(0)
        left = header.readUInt32BE(4)
        header = Buffer.alloc(0)
        continue
      }
      const bytes = rest.subarray(0, left)
      rest = rest.subarray(bytes.length)
      left -= bytes.length
      if (kind === 3) engineError += bytes.toString('utf8')
      else yield { stream: kind === 2 ? 'stderr' : 'stdout', bytes }
    }
  }
  if (engineError !== '') throw new TestfleetError('ENGINE_REFUSED', engineError.trim())
  if (left > 0 || header.length > 0)
    throw new TestfleetError('ENGINE_LOST', 'the output ended in the middle of a frame')
}

/** What a terminal says has one stream. */
export async function* asStdout(chunks: AsyncIterable<Buffer>): AsyncGenerator<OutputChunk, void, void> {
  for await (const bytes of chunks) yield { stream: 'stdout', bytes }
}
