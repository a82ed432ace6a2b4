import type { OutputChunk } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { CallOptions, LogRequest } from '../engine.ts'
import { type Client, path } from './client.ts'
import type { HttpResponse } from './connection.ts'
import type { ContainerJson } from './container-json.ts'
import { isEngineErrorInOutput, missingProgram } from './dialect.ts'
import { commandNotFound } from './errors.ts'

/**
 * Reads a log. It has no deadline: a followed log may be silent for long, and 20.10 sends no header before its first
 * line.
 */
export async function* readLogs(
  client: Client,
  id: string,
  request: LogRequest,
  options: CallOptions = {},
): AsyncGenerator<OutputChunk, void, void> {
  const { follow, tail = 'all', timestamps = false, sinceMs } = request
  const since = sinceMs === undefined ? undefined : (sinceMs / 1000).toFixed(3)
  const response = await client.openStream(path`GET /containers/${id}/logs`, options, {
    query: { stdout: true, stderr: true, follow, tail, timestamps, since },
    ...(follow && { deadline: 'none' }),
  })
  try {
    yield* (await isMultiplexed(client, id, response, options)) ? demultiplex(response.body) : asStdout(response.body)
  } finally {
    response.drop()
  }
}

/** Since API 1.42, the content type tells; before, only whether the container has a terminal. */
async function isMultiplexed(
  client: Client,
  id: string,
  response: HttpResponse,
  options: CallOptions,
): Promise<boolean> {
  if (response.headers['content-type'] === 'application/vnd.docker.multiplexed-stream') return true
  return (await client.readObject<ContainerJson>(path`GET /containers/${id}/json`, options)).Config?.Tty !== true
}

const headerBytes = 8
const maxErrorLength = 2000

/**
 * Reads Docker's frames: a byte for the stream (0 standard input, 1 output, 2 error, 3 the engine's own error), three
 * zero bytes, four for the length, then that many bytes. Chunks of the connection split them anywhere. Yields each part
 * of a frame as it arrives, so that a long frame needs no memory and no waiting.
 */
export async function* demultiplex(chunks: AsyncIterable<Buffer>): AsyncGenerator<OutputChunk, void, void> {
  const frame = { header: Buffer.alloc(0), kind: 0, left: 0 }
  let engineError = ''
  for await (const chunk of chunks) {
    for (const bytes of readParts(chunk, frame)) {
      if (frame.kind === 3) engineError = (engineError + bytes.toString('utf8')).slice(0, maxErrorLength)
      else yield { stream: frame.kind === 2 ? 'stderr' : 'stdout', bytes }
    }
  }
  if (engineError !== '') throw new TestfleetError('ENGINE_REFUSED', engineError.trim())
  if (frame.left === 0 && frame.header.length === 0) return
  throw new TestfleetError('ENGINE_LOST', 'the output ended in the middle of a frame')
}

/** Yields the parts of frames in a chunk. `frame` keeps its state from one chunk to the next. */
function* readParts(chunk: Buffer, frame: { header: Buffer; kind: number; left: number }): Generator<Buffer> {
  for (let rest = chunk; rest.length > 0; ) {
    const part = rest.subarray(0, frame.left || headerBytes - frame.header.length)
    rest = rest.subarray(part.length)
    if (frame.left > 0) {
      frame.left -= part.length
      yield part
      continue
    }
    frame.header = Buffer.concat([frame.header, part])
    if (frame.header.length < headerBytes) continue
    frame.kind = frame.header.readUInt8(0)
    frame.left = frame.header.readUInt32BE(4)
    frame.header = Buffer.alloc(0)
  }
}

/** A terminal has only one stream. */
export async function* asStdout(chunks: AsyncIterable<Buffer>): AsyncGenerator<OutputChunk, void, void> {
  for await (const bytes of chunks) yield { stream: 'stdout', bytes }
}

/** Output of a command, and the exit code that is known after it. */
export interface ExecOutput extends AsyncIterable<OutputChunk> {
  exitCode(): Promise<number>
}

/** The engine's own error is one line. Longer output is the program's. */
const maxHeldBytes = 64 * 1024

export function openOutput(
  chunks: AsyncGenerator<OutputChunk, void, void>,
  readExitCode: () => Promise<number>,
): ExecOutput {
  let isRead = false
  let asked: Promise<number> | undefined
  const ended = Promise.withResolvers<void>()
  // A caller that never asks for the exit code has seen the same failure in the output.
  ended.promise.catch(() => {})
  const askExitCode = (): Promise<number> => {
    asked ??= readExitCode()
    return asked
  }

  async function* read(): AsyncGenerator<OutputChunk, void, void> {
    isRead = true
    try {
      yield* holdBackEngineError(chunks, askExitCode)
      ended.resolve()
    } catch (error) {
      ended.reject(error)
      throw error
    } finally {
      // The reader stopped early, so there is no more output to wait for.
      ended.resolve()
      await chunks.return()
    }
  }

  return {
    [Symbol.asyncIterator]: read,
    async exitCode() {
      // Waits one turn of the event loop for a reader. Without one, the output is dropped.
      await new Promise((resolve) => setImmediate(resolve))
      if (!isRead) for await (const _ of read());
      await ended.promise
      return askExitCode()
    },
  }
}

/** Holds back what looks like the engine's own error until the exit code shows who wrote it. */
async function* holdBackEngineError(
  chunks: AsyncIterable<OutputChunk>,
  exitCode: () => Promise<number>,
): AsyncGenerator<OutputChunk, void, void> {
  const held: OutputChunk[] = []
  let heldBytes = 0
  let isFirst = true
  for await (const chunk of chunks) {
    if (held.length === 0 && !(isFirst && isEngineErrorInOutput(chunk.bytes))) yield chunk
    else {
      held.push(chunk)
      heldBytes += chunk.bytes.length
      if (heldBytes > maxHeldBytes) yield* held.splice(0)
    }
    isFirst = false
  }
  if (held.length === 0) return
  const words = Buffer.concat(held.map((chunk) => chunk.bytes)).toString('utf8')
  const missing = missingProgram(words)
  const code = await exitCode()
  if (missing !== undefined && (code === 126 || code === 127)) throw commandNotFound(missing, words.trim())
  yield* held
}
