import { join } from 'node:path'
import { testfleet, type WarmBench } from './bench-tools.ts'
import { writeImages } from './fleets.ts'
import type { Row } from './row.ts'

/** A build downloads packages, and takes minutes. */
const MAX_ROUNDS = 3

/** Images that a job on CI takes from the archive of an earlier job, from the start of the process to its end. */
export async function measureArchives({ folder, rounds, signal, tell }: WarmBench): Promise<Row[]> {
  const times = { load: [] as number[], build: [] as number[] }
  const archive = join(folder, 'images.tar')
  const time = async (words: readonly string[]): Promise<number> => {
    const startedAt = performance.now()
    await testfleet(words, signal)
    return (performance.now() - startedAt) / 1000
  }
  for (let round = 1; round <= Math.min(rounds, MAX_ROUNDS); round++) {
    tell(`ten images from an archive, and built, round ${round}`)
    const file = await writeImages(join(folder, 'archived'), 'archived')
    try {
      times.build.push(await time(['build', '-f', file]))
      await testfleet(['save', '-f', file, archive], signal)
      await testfleet(['rmi', '-f', file])
      times.load.push(await time(['load', archive]))
    } finally {
      await testfleet(['rmi', '-f', file])
    }
  }
  const what = 'ten images on one base, from an archive'
  return [{ what, unit: 's', values: times.load, compared: { name: 'built', values: times.build }, aim: 'ratio ≥ 3' }]
}
