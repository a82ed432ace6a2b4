import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Host } from '../model/host.ts'
import { findProgram, type Program } from './run-program.ts'

/**
 * Returns a program that starts `program` with these signals ignored, as they are in the caller. Node itself resets
 * them. Undefined if the system's `env` cannot do this.
 */
export async function ignoringSignals(
  { words }: Program,
  foundAs: string,
  signals: readonly NodeJS.Signals[],
  host: Host,
): Promise<Program | undefined> {
  const path = await findProgram('env', host).catch(() => undefined)
  const option = `--ignore-signal=${signals.map((name) => name.slice('SIG'.length)).join(',')}`
  // `env` interprets a name with `=` as a variable.
  if (path === undefined || foundAs.includes('=') || !(await succeeds(path, [option, 'true'], host))) return undefined
  return { path, argv0: 'env', words: [option, foundAs, ...words] }
}

/** Time limit for a program that does nothing. */
const TRY_MS = 5000

async function succeeds(path: string, words: readonly string[], { environment }: Host): Promise<boolean> {
  const child = spawn(path, words, { stdio: 'ignore', env: environment, timeout: TRY_MS, killSignal: 'SIGKILL' })
  const [code] = await once(child, 'exit').catch(() => [1])
  return code === 0
}
