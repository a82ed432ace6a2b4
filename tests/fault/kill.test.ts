import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import {
  countLeftovers,
  listLeftovers,
  listRecords,
  type RunningCommand,
  SOON_MS,
  waitForNothing,
} from '../support/command.ts'
import { isLong, makeRandom, report } from '../support/fault.ts'
import { libraryFile } from '../support/library.ts'
import { endFleets, makeFleet, server, type TestFleet, webServer } from '../support/test-fleet.ts'

/**
 * Kills calls at a random moment of their lives, again and again, and counts what is left of them on the engine: 17
 * times, or with TESTFLEET_FAULT=long some 200 times. TESTFLEET_SEED=n does again what a run has done.
 */
const rounds = isLong
  ? { alone: 42, 'with its keeper': 22, replacing: 20 }
  : { alone: 3, 'with its keeper': 2, replacing: 2 }
const random = makeRandom()

// Not after each: they are at work side by side.
afterAll(endFleets)

const web = (seconds: number): string =>
  `web: ${server({ command: webServer, ports: [80], dependsOn: ['db'], environment: { SECONDS: String(seconds) } })}`
const db = (seconds: number): string => `db: ${server({ command: ['sleep', String(seconds)], mounts })}`
const mounts = [{ volume: 'data', to: '/data', writable: true }]

interface Way {
  readonly name: string
  /** Starts it again. */
  start(fleet: TestFleet): Promise<RunningCommand>
  /** What it leaves when it was faster than the kill, and is meant to. */
  readonly mayStay: boolean
}

const ways: readonly Way[] = [
  {
    name: 'run',
    start: async (fleet) => fleet.start(['run', '--', 'sleep', '0.2']),
    mayStay: false,
  },
  {
    name: 'up',
    start: async (fleet) => fleet.start(['up']),
    mayStay: true,
  },
  {
    name: 'library',
    start: async (fleet) =>
      fleet.start([], { prefix: [process.execPath, join(fleet.folder, 'library.mjs')], isBare: true }),
    mayStay: false,
  },
]

const script = `import { startFleet } from ${JSON.stringify(libraryFile)}
  await using fleet = await startFleet()
  await new Promise((resolve) => setTimeout(resolve, 200))`

/** Of a process, while it lives: the keeper that it has started is one of them. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** How long the calls of one way have lived lately: a machine is not as quick all the time, nor with others at work. */
class Lives {
  readonly #latestMs: number[] = []

  add(lifeMs: number): void {
    this.#latestMs.push(lifeMs)
    if (this.#latestMs.length > 5) this.#latestMs.shift()
  }

  /** A moment of the next one. */
  async waitAtRandom(): Promise<number> {
    const atMs = Math.round(random() * Math.min(...this.#latestMs))
    await sleep(atMs)
    return atMs
  }
}

/** Of one call that is left alone. The fleets of a way are alike. */
async function timeOf(way: Way): Promise<Lives> {
  const fleet = await makeOne()
  const { elapsedMs, exitCode, stderr } = await (await way.start(fleet)).result
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  await fleet.run(['down'])
  const lives = new Lives()
  lives.add(elapsedMs)
  return lives
}

function makeOne(): Promise<TestFleet> {
  return makeFleet([db(600), web(1)], { 'library.mjs': script })
}

const counts = { killed: 0, 'killed with the keeper': 0, 'too late': 0, left: 0, 'longest wait, ms': 0 }

afterAll(() => report('kill', counts))

describe.concurrent.each(ways)('$name', (way) => {
  let timed: Promise<Lives> | undefined
  const time = (): Promise<Lives> => {
    timed ??= timeOf(way)
    return timed
  }

  test('leaves nothing behind when it is killed at any moment', async () => {
    const lives = await time()
    const fleet = await makeOne()
    for (let round = 0; round < rounds.alone; round++) {
      const command = await way.start(fleet)
      const atMs = await lives.waitAtRandom()
      command.kill('SIGKILL')
      await end(command, 'killed', lives)
      await expectNothing(fleet, way, atMs)
    }
  })

  test('leaves nothing behind after the next call when it is killed with its keeper at any moment', async () => {
    const lives = await time()
    const fleet = await makeOne()
    for (let round = 0; round < rounds['with its keeper']; round++) {
      const command = await way.start(fleet)
      const atMs = await lives.waitAtRandom()
      const children = childrenOf(command.pid)
      command.kill('SIGKILL')
      for (const child of children) kill(child)
      await end(command, 'killed with the keeper', lives)
      await expectNothing(fleet, way, atMs, () => cleanUpByCalls(fleet))
    }
  })
})

async function end(command: RunningCommand, how: 'killed' | 'killed with the keeper', lives: Lives): Promise<void> {
  const { exitCode, elapsedMs } = await command.result
  const isKilled = exitCode === 137
  counts[isKilled ? how : 'too late']++
  if (!isKilled) lives.add(elapsedMs)
}

/** Calls until nothing is left: the engine can still finish a request of a call that was killed. */
async function cleanUpByCalls(fleet: TestFleet): Promise<void> {
  await vi.waitFor(async () => {
    await fleet.run(['doctor'])
    expect(await countLeftovers(fleet.name)).toBe(0)
  }, SOON_MS)
}

async function expectNothing(
  fleet: TestFleet,
  way: Way,
  atMs: number,
  wait = () => waitForNothing(fleet.name),
): Promise<void> {
  const since = performance.now()
  // An `up` whose work was done has left a session that is whole, as it is meant to.
  if (way.mayStay && (await isWholeInTheEnd(fleet))) await fleet.run(['down'])
  await wait().catch(() => {})
  counts['longest wait, ms'] = Math.max(counts['longest wait, ms'], Math.round(performance.now() - since))
  const left = await listLeftovers(fleet.name)
  counts.left += left.length
  expect(left, `killed ${atMs} ms after its start`).toEqual([])
}

/** Whether all its servers are there, and no record says that anything is unfinished; once its keeper has done its work. */
async function isWholeInTheEnd(fleet: TestFleet): Promise<boolean> {
  for (const until = performance.now() + SOON_MS; performance.now() < until; ) {
    const { stdout } = await fleet.run(['prune', '--dry-run', '--json'])
    const { kept, removed } = JSON.parse(stdout) as Record<
      'kept' | 'removed',
      { session: string; because: string; servers: number }[]
    >
    const found = [...kept, ...removed].find(({ session }) => session === fleet.name)
    if (found === undefined) return false
    if (/stays until/.test(found.because)) return found.servers === 2
    await sleep(250)
  }
  return false
}

/** Two containers, a network, a volume, and one revision of the record. */
const WHOLE = 5

test('when an up that replaces servers is killed at any moment, either all old or all new servers run', async () => {
  const fleet = await makeFleet([db(600), web(1)])
  expect((await fleet.run(['up'])).exitCode).toBe(0)
  const lifeMs = 2500
  for (let round = 1; round <= rounds.replacing; round++) {
    await fleet.rewrite([db(600 + round), web(1)])
    const command = fleet.start(['up'])
    const atMs = Math.round(random() * lifeMs)
    await sleep(atMs)
    command.kill('SIGKILL')
    await command.result
    const said = `killed ${atMs} ms after its start`
    await settle(fleet)
    const { stdout } = await fleet.run(['ps', '--json'])
    const { servers } = JSON.parse(stdout) as { servers: Record<string, { state: string }> }
    expect(servers, said).toMatchObject({ db: { state: 'ready' }, web: { state: 'ready' } })
    // And no change is in progress.
    expect(await countLeftovers(fleet.name), said).toBe(WHOLE)
    counts.killed++
  }
  expect((await fleet.run(['down'])).exitCode).toBe(0)
})

async function settle(fleet: TestFleet): Promise<void> {
  const deadline = performance.now() + SOON_MS
  while (!(await isSettled(fleet)) && performance.now() < deadline) await sleep(100)
}

/** Whether nothing is under way: the record names no change, and there is just what a whole session has. */
async function isSettled(fleet: TestFleet): Promise<boolean> {
  const record = (await listRecords()).find(({ name }) => name === fleet.name)
  return record !== undefined && record.change === undefined && (await countLeftovers(fleet.name)) === WHOLE
}
