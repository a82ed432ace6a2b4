import type { ExecProcess } from '../engine/engine.ts'
import type { ExecResult } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import { say } from '../model/surface.ts'

/** Limit for both streams together: the result is kept in memory as text. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/**
 * Waits for a command in a server to end, and returns all its output. Fails with OUTPUT_TOO_LONG and ends the command
 * when there is too much.
 */
export async function collectOutput(process: ExecProcess, maxBytes = MAX_OUTPUT_BYTES): Promise<ExecResult> {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  let size = 0
  for await (const { stream, bytes } of process.output) {
    size += bytes.length
    if (size > maxBytes) {
      throw new TestfleetError('OUTPUT_TOO_LONG', `the command has printed more than ${maxBytes} bytes`, {
        hint: `Write the output into a file, or ${say('streamedExec')}, which passes on what it prints.`,
      })
    }
    chunks[stream].push(bytes)
  }
  return {
    exitCode: await process.exitCode(),
    stdout: Buffer.concat(chunks.stdout).toString('utf8'),
    stderr: Buffer.concat(chunks.stderr).toString('utf8'),
  }
}
