import { parseArgs } from 'node:util'
import { type Contestants, prepareContestants } from './contestants.ts'
import { runLocal } from './local.ts'
import { measureRound, type Round } from './round.ts'
import { measureSecondCalls } from './second-calls.ts'
import { formatTable, median } from './statistics.ts'
import type { Timed } from './time-process.ts'
import { runWarm } from './warm.ts'

/**
 * Measures how long testfleet takes for N redis servers, compared with the floor: one script that does the same by raw
 * calls of the Engine API. Both are whole processes and take turns, so that a busy machine affects both equally: only
 * the ratios count, each within one round. Run one bench at a time, because it removes what it finds of another.
 *
 * `npm run bench`, or `npm run bench -- --quick`. With `--warm`, measures instead what is prepared before it is needed;
 * `--only NAME` is for a part of that, and `--rounds N` says how often. With `--local`, measures the local engine instead, against
 * the same floor.
 */
const { quick, warm, local, only, rounds } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    warm: { type: 'boolean', default: false },
    local: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
  },
}).values
const sizes = quick
  ? [
      { count: 1, rounds: 3 },
      { count: 10, rounds: 2 },
    ]
  : [
      { count: 1, rounds: 9 },
      { count: 10, rounds: 5 },
      { count: 30, rounds: 3 },
    ]
const STARTS = quick ? 15 : 50
/** No round begins after this time. */
const BUDGET_MS = 180_000

const aims = { up: 1.15, version: 1.3, libraryMs: 60 }

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => stop.abort(new Error(`ended by ${name}`)))
}
const startedAt = performance.now()
try {
  const { signal } = stop
  process.stdout.write(
    local
      ? await runLocal({ isQuick: quick, rounds: readRounds(), signal, tell })
      : warm
        ? await runWarm({ isQuick: quick, only, rounds: readRounds(), signal, tell })
        : await runBench(signal),
  )
} catch (error) {
  if (!stop.signal.aborted) throw error
  tell((stop.signal.reason as Error).message)
  process.exitCode = 1
}

function readRounds(): number {
  const count = Number(rounds ?? (quick ? 2 : 5))
  if (!Number.isInteger(count) || count < 1) throw new Error(`--rounds takes a whole number from 1, not ${rounds}`)
  return count
}

async function runBench(signal: AbortSignal): Promise<string> {
  tell('preparing the image')
  const contestants = await prepareContestants(Math.max(...sizes.map(({ count }) => count)), signal)
  try {
    const starts = await measureStarts(contestants)
    const rounds = new Map<number, Round[]>()
    for (const size of sizes) rounds.set(size.count, await measureSize(size, contestants))
    tell('calls with nothing to do')
    const seconds = await measureSecondCalls(contestants.folder, { isQuick: quick, signal })
    return `${formatRounds(rounds)}\n${seconds}\n${starts}`
  } finally {
    tell('cleaning up')
    await contestants.cleanUp()
  }
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

async function measureSize({ count, rounds }: (typeof sizes)[number], of: Contestants): Promise<Round[]> {
  const measured: Round[] = []
  while (measured.length < rounds) {
    if (measured.length > 0 && performance.now() - startedAt > BUDGET_MS) break
    tell(`${count} ${count === 1 ? 'server' : 'servers'}, round ${measured.length + 1} of ${rounds}`)
    measured.push(await measureRound(of, count, measured.length % 2 === 0))
  }
  return measured
}

async function measureStarts(of: Contestants): Promise<string> {
  tell(`${STARTS} starts`)
  const empty: number[] = []
  const version: number[] = []
  const library: number[] = []
  const take = async (times: number[], run: () => Promise<Timed>): Promise<void> =>
    void times.push((await run()).tookMs)
  for (let i = 0; i < STARTS; i++) {
    await take(empty, of.emptyNode)
    await take(version, of.testfleetVersion)
    await take(library, of.importLibrary)
  }
  const ratio = (times: readonly number[]): string =>
    median(times.map((time, start) => time / (empty[start] ?? Number.NaN))).toFixed(2)
  const more = median(library.map((time, start) => time - (empty[start] ?? Number.NaN)))
  return formatTable([
    ['node -e 0', 'testfleet version', 'ratio', 'aim', "import 'testfleet'", 'ratio', 'more', 'aim'],
    [
      ...[ms(median(empty)), ms(median(version)), ratio(version), `≤ ${aims.version}`],
      ...[ms(median(library)), ratio(library), ms(more), `≤ ${aims.libraryMs} ms`],
    ],
  ])
}

function formatRounds(bySize: ReadonlyMap<number, readonly Round[]>): string {
  const head = ['servers', 'rounds', 'floor up', 'up', 'ratio', 'aim', 'second up', 'floor down', 'down', 'ratio']
  const rows = [...bySize].map(([count, rounds]) => {
    const of = (key: keyof Round): string => ms(median(rounds.map((round) => round[key])))
    const ratio = (a: keyof Round, b: keyof Round): string =>
      median(rounds.map((round) => round[a] / round[b])).toFixed(2)
    return [
      ...[
        String(count),
        String(rounds.length),
        of('floorUp'),
        of('testfleetUp'),
        ratio('testfleetUp', 'floorUp'),
        `≤ ${aims.up}`,
      ],
      ...[of('secondUp'), of('floorDown'), of('testfleetDown'), ratio('testfleetDown', 'floorDown')],
    ]
  })
  return formatTable([head, ...rows])
}

function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`
}
