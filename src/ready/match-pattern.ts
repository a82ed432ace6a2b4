import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'

/** A line that keeps the pattern busy for longer is reported. */
const PATIENCE_MS = 1000

/** How much of such a line is reported. */
const TOLD_LENGTH = 60

/**
 * A regular expression can run for ever on one line, such as `(a+)+$` on fifty times `a` and another letter. Nothing in
 * its own thread could end it.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads')
const pattern = new RegExp(workerData.source)
parentPort.on('message', (lines) => {
  const isFound = lines.some((line, index) => {
    workerData.underWay[0] = index
    return pattern.test(line)
  })
  parentPort.postMessage(isFound)
})`

/** A pattern in its own thread. Disposing of it ends the thread, whatever it is doing. */
export interface PatternMatcher extends AsyncDisposable {
  /** Whether one of the lines has it; rejects when the signal fires. Asked for one answer at a time. */
  isInOneOf(lines: readonly string[]): Promise<boolean>
}

export async function openPattern(
  source: string,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
  patienceMs = PATIENCE_MS,
): Promise<PatternMatcher> {
  const { Worker } = await import('node:worker_threads')
  const underWay = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(program, { eval: true, workerData: { source, underWay }, execArgv: [] })
  const failed = once(worker, 'error').then(([error]) => Promise.reject(error))
  // The call that waits for an answer gets the error.
  failed.catch(() => {})
  return {
    async isInOneOf(lines) {
      const tell = (): void => onAnswer(describeSlowness(lines[underWay[0] ?? 0] ?? ''))
      const timer = setTimeout(tell, patienceMs)
      try {
        return await Promise.race([failed, ask(worker, lines, signal)])
      } finally {
        clearTimeout(timer)
      }
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}

function describeSlowness(line: string): string {
  const start = line.length > TOLD_LENGTH ? `${line.slice(0, TOLD_LENGTH)}…` : line
  return `the pattern does not come to an end on the line ${JSON.stringify(start)}: write it without a repeat inside a repeat, or name a text`
}

async function ask(worker: Worker, lines: readonly string[], signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted()
  worker.postMessage(lines)
  try {
    const [isFound] = await once(worker, 'message', { signal })
    return isFound
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
