import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { formatTable, median } from './statistics.ts'
import { timeNode } from './time-process.ts'

/**
 * Measures the time to give a command the names of the servers: `join -- true`, with names and without, in turns. Needs
 * dist, an engine and the image debian:bookworm-slim.
 */
const ROUNDS = 21
const testfleet = join(dirname(import.meta.dirname), 'dist/cli/testfleet.cjs')
const fleet = {
  name: 'names-bench',
  servers: { one: { image: 'debian:bookworm-slim', command: ['sleep', '600'], init: true } },
}

const folder = await mkdtemp(join(tmpdir(), 'names-bench-'))
const file = join(folder, 'testfleet.json')
const call = (...words: string[]) => timeNode([testfleet, ...words], undefined)
const ways = ['none', 'namespace', 'proxy'] as const
const times: Record<(typeof ways)[number], number[]> = { none: [], namespace: [], proxy: [] }
try {
  await writeFile(file, JSON.stringify(fleet))
  await call('up', '--quiet', '-f', file)
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) {
      const { tookMs } = await call('join', '--session', fleet.name, '--names', way, '--', 'true')
      times[way].push(tookMs)
    }
  }
} finally {
  await call('down', '--quiet', '--session', fleet.name)
  await rm(folder, { recursive: true, force: true })
}

const rows = ways.map((way) => {
  const more = median(times[way].map((time, round) => time - (times.none[round] ?? 0)))
  const ratio = median(times[way].map((time, round) => time / (times.none[round] ?? 1)))
  return [way, `${median(times[way]).toFixed(0)} ms`, `${more.toFixed(1)} ms`, ratio.toFixed(2)]
})
process.stdout.write(formatTable([['--names', 'join -- true', 'more', 'ratio'], ...rows]))
