import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test, vi } from 'vitest'
import { findMarked, listProcesses, readCommand, send } from '../../src/runtime/processes/process-table.ts'
import { countLeftovers, listLeftovers, SOON_MS, waitForNothing } from '../support/command.ts'
import { makeRandom, report } from '../support/fault.ts'
import { endFleets, makeFleet, server } from '../support/test-fleet.ts'

/** Kills `run` with servers without a container at a random moment of its life, with what belongs to it. */
const ROUNDS = 20
const random = makeRandom()
const userId = process.getuid?.()
/** Who is killed, apart from `run`: the first one has a keeper to clean up, the others need the next call. */
const victims = ['run', 'run and its keeper', 'run, its keeper and the supervisor', 'all of them'] as const
const counts = { rounds: 0, 'while it ran': 0, 'processes left': 0, 'objects left': 0, 'longest wait, ms': 0 }

afterAll(async () => {
  report('kill processes', counts)
  await endFleets()
})

/** Has a child that ignores signals, and one in another session. */
const text = '(setsid sleep 1000 &); sh -c \'trap "" TERM INT; sleep 1000\' & wait'

test(`leaves nothing when it is killed ${ROUNDS} times at any moment, with any of its processes`, {
  tags: ['wide'],
  timeout: 20 * 60_000,
}, async () => {
  const trial = randomBytes(4).toString('hex')
  const app = { process: ['sh', '-c', text], stopGracePeriod: '1s', environment: { TRIAL: trial } }
  const fleet = await makeFleet([`app: ${JSON.stringify(app)}`, `db: ${server({ command: ['sleep', '1000'] })}`])
  const programs = (): number[] => findMarked(`TRIAL=${trial}`, userId)
  for (let round = 0; round < ROUNDS; round += 1) {
    const who = victims[round % victims.length] ?? 'run'
    const command = fleet.start(['run', '--', 'sleep', '1000'])
    const atMs = Math.round(random() * 6000)
    await sleep(atMs)
    const [keepers, supervisors] = findHelpers(command.pid)
    counts['while it ran'] += Math.min(programs().length, 1)
    command.kill('SIGKILL')
    if (who !== 'run') send(keepers, 'SIGKILL')
    if (who !== 'run' && who !== 'run and its keeper') send(supervisors, 'SIGKILL')
    if (who === 'all of them') send(programs(), 'SIGKILL')
    await command.result
    const said = `${who} killed ${atMs} ms after the start`
    const since = performance.now()
    if (who === 'run') await waitForNothing(fleet.name)
    else
      await vi.waitFor(
        async () => {
          await fleet.run(['doctor'])
          expect(await countLeftovers(fleet.name), said).toBe(0)
        },
        { timeout: SOON_MS, interval: 100 },
      )
    await vi.waitFor(() => expect(programs().map(readCommand), said).toEqual([]), { timeout: SOON_MS, interval: 50 })
    counts['longest wait, ms'] = Math.max(counts['longest wait, ms'], Math.round(performance.now() - since))
    counts.rounds += 1
    counts['processes left'] += programs().length
    counts['objects left'] += (await listLeftovers(fleet.name)).length
  }
  // Without a program that ran, nothing was tested.
  expect(counts['while it ran']).toBeGreaterThan(0)
  expect(counts).toMatchObject({ rounds: ROUNDS, 'processes left': 0, 'objects left': 0 })
})

/** Keepers and supervisors that a call has started. */
function findHelpers(pid: number): [keepers: number[], supervisors: number[]] {
  const children = [...listProcesses().values()].filter(({ parentPid }) => parentPid === pid)
  const of = (program: RegExp): number[] =>
    children.map((child) => child.pid).filter((one) => readCommand(one).some((word) => program.test(word)))
  return [of(/[\\/]keeper[\\/]main\.[jt]s$/), of(/[\\/]supervisor[\\/]main\.[jt]s$/)]
}
