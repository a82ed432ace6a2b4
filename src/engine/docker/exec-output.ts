import type { OutputChunk } from '../../model/container.ts'
import { isEngineErrorInOutput, missingProgram } from './dialect.ts'
import { commandNotFound } from './errors.ts'

/** The output of a command, and the exit code that is known after it. */
export interface ExecOutput extends AsyncIterable<OutputChunk> {
  exitCode(): Promise<number>
}

/** The engine's own error is one line. More than this is the program's output. */
const maxHeldBytes = 64 * 1024

export function openOutput(
  chunks: AsyncGenerator<OutputChunk, void, void>,
  readExitCode: () => Promise<number>,
): ExecOutput {
  let isRead = false
  let asked: Promise<number> | undefined
  const ended = Promise.withResolvers<void>()
  // Who never asks for the exit code has had the same failure from the output.
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
      // Left before its end: there is no more output to wait for.
      ended.resolve()
      await chunks.return()
    }
  }

  return {
    [Symbol.asyncIterator]: read,
    async exitCode() {
      // A turn of the loop for a reader that begins at the same time; without one, the output is nobody's.
      await new Promise((resolve) => setImmediate(resolve))
      if (!isRead) for await (const _ of read());
      await ended.promise
      return askExitCode()
    },
  }
}

/** Holds back what looks like the engine's own error until the exit code decides whether the program wrote it. */
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
