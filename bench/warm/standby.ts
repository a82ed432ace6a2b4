import { join } from 'node:path'
import { type Begun, testfleet, timeRun, type WarmBench } from './bench-tools.ts'
import { fleetNames, writeFivePresets } from './fleets.ts'
import type { Row } from './row.ts'

interface Report {
  readonly ready: readonly string[]
  readonly memoryBytes?: number
  readonly memoryLimitBytes?: number
}

/** `testfleet run` of five presets, from a paused copy and from nothing. Each is a whole process. */
export async function measureStandby(bench: WarmBench): Promise<Row[]> {
  const { signal, rounds, tell } = bench
  const file = await writeFivePresets(join(bench.folder, 'five'))
  const warm = (...words: string[]) => testfleet(['warm', '-f', file, '--json', ...words], signal)
  tell('images of five presets: these take minutes the first time, and are kept')
  await testfleet(['build', '-f', file], signal)
  const cold: Begun[] = []
  const first: Begun[] = []
  const second: Begun[] = []
  try {
    for (let round = 1; round <= rounds; round++) {
      tell(`run of five presets, round ${round} of ${rounds}`)
      // Nothing is prepared beside a start from nothing.
      await warm('--stop')
      cold.push(await timeRun(['-f', file, '--no-standby'], signal))
      await warm('--standby', '2')
      first.push(await timeRun(['-f', file], signal))
      // At once, while the first copy is removed and its successor is prepared.
      second.push(await timeRun(['-f', file], signal))
    }
    return [
      {
        what: 'run of five presets, until its command starts',
        unit: 'ms',
        values: first.map(({ begunMs }) => begunMs),
        compared: { name: 'run --no-standby', values: cold.map(({ begunMs }) => begunMs) },
        aim: '≤ 150 ms',
      },
      {
        what: 'a second run right after it',
        unit: 'ms',
        values: second.map(({ begunMs }) => begunMs),
        compared: { name: 'the first', values: first.map(({ begunMs }) => begunMs) },
        aim: '≤ 150 ms',
      },
      ...(await measureMemory(bench, warm)),
    ]
  } finally {
    await testfleet(['warm', '-f', file, '--stop'])
  }
}

const MB = 1_000_000

/** What five copies use, and what they use when they may have three fifths of it. */
async function measureMemory(
  { isQuick, tell }: WarmBench,
  warm: (...words: string[]) => Promise<{ readonly stdout: string }>,
): Promise<Row[]> {
  const count = isQuick ? 2 : 5
  tell(`memory of ${count} copies of ${fleetNames.five}`)
  const report = async (...words: string[]): Promise<Report> => JSON.parse((await warm(...words)).stdout)
  await warm('--stop')
  const free = await report('--standby', String(count))
  await warm('--stop')
  const used = free.memoryBytes ?? Number.NaN
  const limit = Math.floor(used * 0.6)
  const bounded = await report('--standby', String(count), '--memory', `${limit}b`)
  return [
    {
      what: `memory of ${free.ready.length} paused copies of five presets`,
      unit: 'MB',
      values: [used / MB],
      aim: 'told',
    },
    {
      what: `with a limit: ${bounded.ready.length} paused copies`,
      unit: 'MB',
      values: [(bounded.memoryBytes ?? Number.NaN) / MB],
      compared: { name: 'the limit', values: [limit / MB] },
      aim: 'ratio ≥ 1',
    },
  ]
}
