import type { OutputChunk } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'

const headerBytes = 8
const maxErrorLength = 2000

/**
 * Takes Docker's frames apart: a byte for the stream (0 standard input, 1 output, 2 error, 3 the engine's own error),
 * three of zero, four of the length, then that many bytes. Chunks of the connection split them anywhere. Yields each part
 * of a frame as it arrives, so that a long frame costs no memory and no waiting.
 */
export async function* demultiplex(chunks: AsyncIterable<Buffer>): AsyncGenerator<OutputChunk, void, void> {
  const frames = openFrames()
  let engineError = ''
  for await (const chunk of chunks) {
    for (const { kind, bytes } of frames.read(chunk)) {
      if (kind === 3) engineError = (engineError + bytes.toString('utf8')).slice(0, maxErrorLength)
      else yield { stream: kind === 2 ? 'stderr' : 'stdout', bytes }
    }
  }
  if (engineError !== '') throw new TestfleetError('ENGINE_REFUSED', engineError.trim())
  if (frames.isInside()) throw new TestfleetError('ENGINE_LOST', 'the output ended in the middle of a frame')
}

interface FramePart {
  readonly kind: number
  readonly bytes: Buffer
}

function openFrames(): { read(chunk: Buffer): Generator<FramePart>; isInside(): boolean } {
  let header: Buffer = Buffer.alloc(0)
  let kind = 0
  let left = 0
  const readHeader = (chunk: Buffer): Buffer => {
    const part = chunk.subarray(0, headerBytes - header.length)
    header = Buffer.concat([header, part])
    if (header.length === headerBytes) {
      kind = header.readUInt8(0)
      left = header.readUInt32BE(4)
      header = Buffer.alloc(0)
    }
    return chunk.subarray(part.length)
  }
  return {
    *read(chunk) {
      let rest = chunk
      while (rest.length > 0) {
        if (left === 0) {
          rest = readHeader(rest)
          continue
        }
        const bytes = rest.subarray(0, left)
        rest = rest.subarray(bytes.length)
        left -= bytes.length
        yield { kind, bytes }
      }
    },
    isInside: () => left > 0 || header.length > 0,
  }
}

/** A terminal has only one stream. */
export async function* asStdout(chunks: AsyncIterable<Buffer>): AsyncGenerator<OutputChunk, void, void> {
  for await (const bytes of chunks) yield { stream: 'stdout', bytes }
}
