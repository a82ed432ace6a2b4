import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeLocalStore } from '../tests/support/local-store.ts'
import { type Contestants, prepareContestants } from './contestants.ts'
import { fleetName } from './redis-fleet.ts'
import { measureRound, type Round } from './round.ts'
import { writePresetFleet } from './second-calls.ts'
import { formatTable, median } from './statistics.ts'
import { timeNode } from './time-process.ts'

export interface LocalOptions {
  /** One server and ten, and no presets. */
  readonly isQuick: boolean
  readonly rounds: number
  readonly signal: AbortSignal
  tell(text: string): void
}

/** Parts of the time of Docker's floor. */
const aims: Readonly<Record<number, number>> = { 1: 0.5, 10: 0.25, 30: 0.2 }
const downAim = 0.25
const mostMegabytes = 60
const runAim = 1.2
const changeAimMs = 100

const testfleetPath = join(dirname(import.meta.dirname), 'dist/cli/testfleet.cjs')

/**
 * Measures the local engine: `up` and `down` of redis servers against the floor of Docker, taking turns; the memory of what
 * runs besides the servers; `run` of eight presets against the slowest of their daemons; and the build of a changed file.
 */
export async function runLocal({ isQuick, rounds, signal, tell }: LocalOptions): Promise<string> {
  const sizes = isQuick ? [1, 10] : [1, 10, 30]
  tell('copying the base image, and building')
  const store = await makeLocalStore()
  try {
    const contestants = await prepareContestants(Math.max(...sizes), signal, store.url)
    try {
      const measured: [number, Round[]][] = []
      for (const count of sizes) {
        tell(`${count} ${count === 1 ? 'server' : 'servers'}`)
        const all: Round[] = []
        while (all.length < rounds) all.push(await measureRound(contestants, count, all.length % 2 === 0))
        measured.push([count, all])
      }
      tell('memory, a changed file')
      const memory = await measureMemory(contestants, store.folder, Math.max(...sizes))
      const change = await measureChange(contestants.folder, store.url, rounds, signal)
      tell('eight presets')
      const eight = isQuick ? [] : [await measureRun(contestants.folder, store.url, rounds, signal)]
      return `${formatRounds(measured)}\n${formatTable([['what', 'measured', 'aim'], memory, change, ...eight])}`
    } finally {
      tell('cleaning up')
      await contestants.cleanUp()
    }
  } finally {
    await store.remove()
  }
}

function formatRounds(measured: readonly (readonly [number, readonly Round[]])[]): string {
  const head = [
    'servers',
    'rounds',
    'floor up',
    'up',
    'ratio',
    'aim',
    'second up',
    'floor down',
    'down',
    'ratio',
    'aim',
  ]
  const rows = measured.map(([count, rounds]) => {
    const of = (key: keyof Round): string => `${median(rounds.map((round) => round[key])).toFixed(0)} ms`
    const ratio = (a: keyof Round, b: keyof Round): string =>
      median(rounds.map((round) => round[a] / round[b])).toFixed(2)
    return [
      ...[String(count), String(rounds.length), of('floorUp'), of('testfleetUp')],
      ...[ratio('testfleetUp', 'floorUp'), `≤ ${aims[count] ?? ''}`, of('secondUp')],
      ...[of('floorDown'), of('testfleetDown'), ratio('testfleetDown', 'floorDown'), `≤ ${downAim}`],
    ]
  })
  return formatTable([head, ...rows])
}

/** Of the processes that have the store in their command: what watches the servers, and not the servers. */
async function measureMemory(contestants: Contestants, folder: string, count: number): Promise<string[]> {
  await contestants.testfleetUp(count)
  try {
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const sizes = await Promise.all(ids.map((id) => readShare(id, folder)))
    const megabytes = sizes.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1024
    return [`memory beside ${count} servers`, `${megabytes.toFixed(1)} MB`, `≤ ${mostMegabytes} MB`]
  } finally {
    await contestants.testfleetDown()
  }
}

/** The kilobytes of a process, with its share of what it shares; 0 for other processes. */
async function readShare(id: string, folder: string): Promise<number> {
  const words = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')
  if (Number(id) === process.pid || !words.includes(folder)) return 0
  const sizes = await readFile(`/proc/${id}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss:\s+(\d+) kB$/m.exec(sizes)?.[1] ?? 0)
}

/** The whole call that builds an image again with one changed file, without an empty Node. */
async function measureChange(folder: string, engine: string, rounds: number, signal: AbortSignal): Promise<string[]> {
  const path = join(folder, 'change.json')
  const took: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const build = { packages: ['redis-server'], copy: [{ content: `${round} ${Date.now()}`, to: '/etc/changed' }] }
    await writeFile(path, JSON.stringify({ name: fleetName, servers: { s1: { build, command: ['sleep', '1'] } } }))
    const empty = await timeNode(['-e', '0'], signal)
    const { tookMs } = await timeNode([testfleetPath, '--engine', engine, 'build', '-f', path], signal)
    // The first one builds everything below the file.
    if (round > 0) took.push(tookMs - empty.tookMs)
  }
  return ['build of one changed file', `${median(took).toFixed(0)} ms`, `≤ ${changeAimMs} ms`]
}

/** `run -- true` of eight presets, whose images are there, against the slowest of their servers alone. */
async function measureRun(folder: string, engine: string, rounds: number, signal: AbortSignal): Promise<string[]> {
  const path = await writePresetFleet(folder)
  const call = (...words: string[]) => timeNode([testfleetPath, '--engine', engine, ...words, '-f', path], signal)
  await call('build')
  const { stdout } = await call('config', '--json')
  const servers = Object.keys((JSON.parse(stdout) as { servers: object }).servers)
  const ratios: number[] = []
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    let slowest = 0
    for (const server of servers) slowest = Math.max(slowest, await readReadyMs(server, folder, path, engine, signal))
    const { tookMs } = await timeNode([testfleetPath, '--engine', engine, 'run', '-f', path, '--', 'true'], signal)
    times.push(tookMs)
    ratios.push(tookMs / slowest)
  }
  const name = 'run -- true of eight presets, over their slowest daemon'
  return [name, `${median(times).toFixed(0)} ms, ${median(ratios).toFixed(2)}`, `≤ ${runAim}`]
}

/** How long a server took to become ready, after its start, when nothing else was started. */
async function readReadyMs(
  server: string,
  folder: string,
  path: string,
  engine: string,
  signal: AbortSignal,
): Promise<number> {
  const file = join(folder, `events-${server}-${Date.now()}.jsonl`)
  const words = ['run', '-f', path, '--server', server, '--events', file, '--', 'true']
  await timeNode([testfleetPath, '--engine', engine, ...words], signal)
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  const events = lines.map(
    (line) => JSON.parse(line) as { kind: string; data: { server?: string; elapsedMs?: number } },
  )
  const own = events.find(({ kind, data }) => kind === 'server.ready' && data.server === server)
  if (own?.data.elapsedMs === undefined) throw new Error(`${server} was not reported as ready`)
  return own.data.elapsedMs
}
