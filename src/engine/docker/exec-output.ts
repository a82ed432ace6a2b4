import type { OutputChunk } from '../../model/container.ts'
import { commandNotFound, missingProgram } from './start-failure.ts'

/** The output of a command, and the exit code that is known after it. */
export interface ExecOutput extends AsyncIterable<OutputChunk> {
  exitCode(): Promise<number>
}

/** How Docker 20.10 begins what it writes in place of the output of a program that it cannot start. */
const engineWords = 'OCI runtime exec failed'

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
      yield* withholdEngineWords(chunks, askExitCode)
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

/** The engine's own words are held back until the exit code has told whether they are the program's. */
async function* withholdEngineWords(
  chunks: AsyncIterable<OutputChunk>,
  exitCode: () => Promise<number>,
): AsyncGenerator<OutputChunk, void, void> {
  const held: OutputChunk[] = []
  let isFirst = true
  for await (const chunk of chunks) {
    if (held.length > 0 || (isFirst && startsWithEngineWords(chunk))) held.push(chunk)
    else yield chunk
    isFirst = false
  }
  if (held.length === 0) return
  const words = Buffer.concat(held.map((chunk) => chunk.bytes)).toString('utf8')
  const missing = missingProgram(words)
  const code = await exitCode()
  if (missing !== undefined && (code === 126 || code === 127)) throw commandNotFound(missing, words.trim())
  yield* held
}

function startsWithEngineWords({ bytes }: OutputChunk): boolean {
  return Buffer.from(bytes.subarray(0, engineWords.length)).toString('latin1') === engineWords
}
