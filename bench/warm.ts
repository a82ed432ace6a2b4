import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureArchives } from './warm/archives.ts'
import { measureBakes } from './warm/bakes.ts'
import { installPackages, type WarmBench } from './warm/bench-tools.ts'
import { measureBuilds } from './warm/builds.ts'
import { measureIsolatedTests } from './warm/isolated-tests.ts'
import { measureLeases } from './warm/leases.ts'
import { formatRows, type Row } from './warm/row.ts'
import { runnerSuites } from './warm/runner-suites.ts'
import { measureStandby } from './warm/standby.ts'

const parts = {
  standby: measureStandby,
  leases: measureLeases,
  bakes: measureBakes,
  builds: measureBuilds,
  archives: measureArchives,
  tests: measureIsolatedTests,
  ...runnerSuites,
}

export interface WarmOptions {
  /** Less of all, to see whether it works. */
  readonly isQuick: boolean
  /** Names of parts; without any, all. */
  readonly only: readonly string[]
  readonly rounds: number
  readonly signal: AbortSignal
  tell(text: string): void
}

/** Measures what is prepared before it is needed: standby copies, leases, baked and built images. Returns one table. */
export async function runWarm({ isQuick, only, rounds, signal, tell }: WarmOptions): Promise<string> {
  const unknown = only.find((name) => !Object.hasOwn(parts, name))
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}; there are: ${Object.keys(parts).join(', ')}`)
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-bench-warm-'))
  try {
    tell('installing testcontainers and pg for the comparisons')
    const packages = await installPackages(folder, signal)
    const bench: WarmBench = { folder, rounds, isQuick, signal, packages, tell }
    const rows: Row[] = []
    const failed: string[] = []
    for (const [name, measure] of Object.entries(parts)) {
      if (only.length > 0 && !only.includes(name)) continue
      // What took minutes to measure is not lost with a later part.
      await measure(bench).then(
        (more) => rows.push(...more),
        (error: unknown) => failed.push(`${name} failed: ${error instanceof Error ? error.message : error}\n`),
      )
      signal.throwIfAborted()
    }
    if (failed.length > 0) process.exitCode = 1
    return `${rows.length === 0 ? '' : formatRows(rows)}${failed.join('')}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
