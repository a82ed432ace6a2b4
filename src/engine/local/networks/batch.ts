import { TestfleetError } from '../../../model/failures.ts'
import { lastWords, type Machine, runProgram } from '../programs.ts'
import { runNft } from './rules.ts'

/**
 * Puts calls of the same moment together: thirty servers that start at once then need one program instead of thirty. Calls
 * that come while it runs wait for the next one.
 */
function together<Request, Result>(
  run: (machine: Machine, requests: readonly Request[]) => Promise<readonly Promise<Result>[]>,
): (machine: Machine, request: Request) => Promise<Result> {
  interface Batch {
    readonly requests: Request[]
    readonly results: Promise<readonly Promise<Result>[]>
  }
  const waiting = new Map<Machine, Batch>()
  const last = new Map<Machine, Promise<unknown>>()
  const begin = (machine: Machine): Batch => {
    const requests: Request[] = []
    const results = (async () => {
      // The next turn of the event loop, so that all calls of this one are in.
      await Promise.all([last.get(machine), new Promise(setImmediate)])
      waiting.delete(machine)
      return run(machine, requests)
    })()
    const ended = results.catch(() => {})
    last.set(machine, ended)
    void ended.then(() => {
      if (last.get(machine) === ended) last.delete(machine)
    })
    const batch = { requests, results }
    waiting.set(machine, batch)
    return batch
  }
  return async (machine, request) => {
    const { requests, results } = waiting.get(machine) ?? begin(machine)
    const at = requests.push(request) - 1
    return (await results)[at] as Promise<Result>
  }
}

/** Runs commands of `ip`, and returns what each that failed said. One that fails does not end the others. */
export const runIp = together<readonly string[], readonly string[]>(async (machine, requests) => {
  const input = requests.flatMap((lines) => lines.map((line) => `${line}\n`)).join('')
  const words = ['-force', '-batch', '-']
  const { exitCode, stderr } = await runProgram(machine, 'ip', { arguments: words, input, maxBytes: 1 << 20 })
  const failures = readFailures(stderr)
  // It fails as a whole when it cannot even begin.
  if (exitCode !== 0 && failures.size === 0) throw ipFailed(stderr)
  let line = 0
  return requests.map(async (lines) => lines.flatMap(() => failures.get(++line) ?? []))
})

/** Like `runIp`, but every command has to succeed. ENGINE_REFUSED otherwise. */
export async function callIp(machine: Machine, lines: readonly string[]): Promise<void> {
  const [first] = await runIp(machine, lines)
  if (first !== undefined) throw ipFailed(first)
}

function ipFailed(said: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `ip failed: ${lastWords(said)}`)
}

/** Runs changes of nft, each of them or nothing of it. Returns as `runNft` does. */
export const changeRules = together<string, boolean>(async (machine, requests) => {
  if (requests.length > 1 && (await runNft(machine, requests.join('')).catch(() => false))) {
    return requests.map(async () => true)
  }
  // One of them fails, and so did all.
  const results = requests.map((request) => runNft(machine, request))
  await Promise.allSettled(results)
  return results
})

/** Reads what `ip` says about the lines that failed. Lines count from 1. */
export function readFailures(stderr: string): ReadonlyMap<number, string> {
  const parts = stderr.split(/Command failed -:(\d+)\n?/)
  const failures = new Map<number, string>()
  for (let at = 0; at + 1 < parts.length; at += 2)
    failures.set(Number(parts[at + 1]), (parts[at] ?? '').trim() || 'a command failed')
  return failures
}
