import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { timeNode } from '../time-process.ts'
import { testfleet, testfleetPath, type WarmBench } from './bench-tools.ts'
import { imagesOfBase, writeImages, writeLargeCopy } from './fleets.ts'
import type { Row } from './row.ts'

/** What is built stays in the engine's build cache. */
const MAX_ROUNDS = 3
/** No further round begins after this time: it takes minutes. */
const BUDGET_MS = 300_000

/** Builds of images, from the start of the process to its end. */
export async function measureBuilds(bench: WarmBench): Promise<Row[]> {
  const rounds = Math.min(bench.rounds, MAX_ROUNDS)
  return [await measureTogether({ ...bench, rounds }), await measureCopy({ ...bench, rounds })]
}

/**
 * Ten images on a new base: all in one call, and one call for each. Only the downloads of packages may be cached, for both:
 * they take turns at being first.
 */
async function measureTogether(bench: WarmBench): Promise<Row> {
  const { folder, rounds, tell } = bench
  const begunAt = performance.now()
  const times = { together: [] as number[], apart: [] as number[] }
  try {
    for (let round = 1; round <= rounds; round++) {
      if (round > 1 && performance.now() - begunAt > BUDGET_MS) break
      tell(`ten images, together and one after the other, round ${round} of ${rounds}`)
      for (const kind of round % 2 === 1 ? kinds : kinds.toReversed()) times[kind].push(await timeImages(kind, bench))
    }
  } finally {
    for (const kind of kinds) await testfleet(['rmi', '-f', await writeImages(join(folder, kind), kind)])
  }
  return {
    what: 'ten images on one base, nothing cached',
    unit: 's',
    values: times.together,
    compared: { name: 'one after the other', values: times.apart },
    aim: 'ratio ≥ 1.67',
  }
}

const kinds = ['together', 'apart'] as const

async function timeImages(kind: (typeof kinds)[number], { folder, signal }: WarmBench): Promise<number> {
  const file = await writeImages(join(folder, kind), kind)
  const calls = kind === 'together' ? [imagesOfBase] : imagesOfBase.map((name) => [name])
  const startedAt = performance.now()
  for (const names of calls) await testfleet(['build', '-f', file, ...names], signal)
  return (performance.now() - startedAt) / 1000
}

/** Largest memory of the process of a build that copies 1 GB, less that of a build that copies a byte. */
async function measureCopy({ folder, rounds, signal, tell }: WarmBench): Promise<Row> {
  const file = await writeLargeCopy(join(folder, 'copy'))
  const peak = join(folder, 'peak')
  const hook = join(folder, 'note-peak.mjs')
  const note = `writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS))`
  await writeFile(hook, `import { writeFileSync } from 'node:fs'\nprocess.on('exit', () => ${note})\n`)
  const measure = async (sizeBytes: number, round: number): Promise<number> => {
    const large = await open(join(folder, 'copy/large'), 'w')
    await large.write(`${round}`)
    await large.truncate(sizeBytes)
    await large.close()
    await timeNode(['--import', hook, testfleetPath, 'build', '-f', file], signal)
    return Number(await readFile(peak, 'utf8')) / 1024
  }
  const values: number[] = []
  try {
    for (let round = 1; round <= rounds; round++) {
      tell(`a copy of 1 GB, round ${round} of ${rounds}`)
      const small = await measure(1, round)
      values.push((await measure(1024 ** 3, round)) - small)
    }
  } finally {
    await testfleet(['rmi', '-f', file])
  }
  return { what: 'memory to copy a file of 1 GB into an image', unit: 'MB', values, aim: '≤ 100 MB' }
}
