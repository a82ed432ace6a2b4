import { TestfleetError } from '../../../model/failures.ts'
import { lastWords, type Machine, runProgram } from '../programs.ts'

interface Waiting {
  readonly lines: readonly string[]
  resolve(failures: readonly string[]): void
  reject(error: unknown): void
}

const waiting = new Map<Machine, Waiting[]>()
const running = new Set<Machine>()

/**
 * Runs commands of `ip`, and returns what each that failed said. Calls of the same moment share one program: thirty
 * servers that start together then take no longer than three. A command that fails does not end the others.
 */
export function runIp(machine: Machine, lines: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const queue = waiting.get(machine) ?? []
    waiting.set(machine, [...queue, { lines, resolve, reject }])
    // The next turn of the event loop, so that all calls of this one are together.
    if (!running.has(machine) && queue.length === 0) setImmediate(() => void runWaiting(machine))
  })
}

/** Like `runIp`, but every command has to succeed. ENGINE_REFUSED otherwise. */
export async function callIp(machine: Machine, lines: readonly string[]): Promise<void> {
  const [first] = await runIp(machine, lines)
  if (first !== undefined) throw new TestfleetError('ENGINE_REFUSED', `ip failed: ${lastWords(first)}`)
}

async function runWaiting(machine: Machine): Promise<void> {
  running.add(machine)
  try {
    for (;;) {
      const batch = waiting.get(machine)
      waiting.delete(machine)
      if (batch === undefined) return
      await runBatch(machine, batch)
    }
  } finally {
    running.delete(machine)
  }
}

async function runBatch(machine: Machine, batch: readonly Waiting[]): Promise<void> {
  try {
    const input = batch.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join('')
    const words = ['-force', '-batch', '-']
    const { exitCode, stderr } = await runProgram(machine, 'ip', { arguments: words, input, maxBytes: 1 << 20 })
    const failures = readFailures(stderr)
    // It fails as a whole when it cannot even begin.
    if (exitCode !== 0 && failures.size === 0)
      throw new TestfleetError('ENGINE_REFUSED', `ip failed: ${lastWords(stderr)}`)
    let before = 0
    for (const { lines, resolve } of batch) {
      resolve(lines.flatMap((_, at) => failures.get(before + at + 1) ?? []))
      before += lines.length
    }
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}

/** Reads what `ip` says about the lines that failed. Lines count from 1. */
export function readFailures(stderr: string): ReadonlyMap<number, string> {
  const parts = stderr.split(/Command failed -:(\d+)\n?/)
  const failures = new Map<number, string>()
  for (let at = 0; at + 1 < parts.length; at += 2)
    failures.set(Number(parts[at + 1]), (parts[at] ?? '').trim() || 'a command failed')
  return failures
}
