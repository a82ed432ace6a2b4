import { TestfleetError } from '../../../model/failures.ts'
import { lastWords, type Machine, runProgram } from '../programs.ts'
import { together } from '../together.ts'
import { runNft } from './rules.ts'

/** Runs commands of `ip`, and returns what each that failed said. One that fails does not end the others. */
export const runIp = together<Machine, readonly string[], readonly string[]>(async (machine, requests) => {
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
export const changeRules = together<Machine, string, boolean>(async (machine, requests) => {
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
