import { spawn } from 'node:child_process'

export interface Timed {
  readonly tookMs: number
  readonly stdout: string
}

/**
 * Runs this Node with these arguments and measures the time from its start to its end. Fails unless it exits with 0.
 */
export function timeNode(nodeArguments: readonly string[], signal: AbortSignal | undefined): Promise<Timed> {
  signal?.throwIfAborted()
  const startedAt = performance.now()
  // In a separate process group: an interrupt of the bench must not end its clean-up.
  const child = spawn(process.execPath, nodeArguments, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // The process undoes what it has begun; the rest is cleaned up at the end.
  const interrupt = (): void => void child.kill('SIGTERM')
  signal?.addEventListener('abort', interrupt, { once: true })
  return new Promise<Timed>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, killedBy) => {
      const tookMs = performance.now() - startedAt
      if (signal?.aborted) reject(signal.reason)
      else if (code === 0) resolve({ tookMs, stdout })
      else reject(new Error(`node ${nodeArguments.join(' ')} ended with ${killedBy ?? code}:\n${stderr}${stdout}`))
    })
  }).finally(() => signal?.removeEventListener('abort', interrupt))
}
