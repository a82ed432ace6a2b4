import type { ExecProcess } from '../engine/engine.ts'
import type { ExecResult } from '../model/container.ts'

/** Waits for a command in a server to end, with all that it said. */
export async function collectOutput(process: ExecProcess): Promise<ExecResult> {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  for await (const { stream, bytes } of process.output) chunks[stream].push(bytes)
  return {
    exitCode: await process.exitCode(),
    stdout: Buffer.concat(chunks.stdout).toString('utf8'),
    stderr: Buffer.concat(chunks.stderr).toString('utf8'),
  }
}
