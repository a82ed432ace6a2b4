import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { countLeftovers, listRecords, removeFleetFolders, SOON_MS } from '../support/command.ts'
import { isLong, report } from '../support/fault.ts'
import { noteServer, withDatabases } from '../support/lent-servers.ts'
import { Testfleet } from '../support/library.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'

const WORKERS = 8
/** Of each server. A container of its own for each lease is by far the slowest. */
const leasesOf = (server: string): number => (isLong ? 1000 : server === 'container' ? 16 : 24)

let fleet: StoryFleet
let environment: Readonly<Record<string, string>>
const counts = { leases: 0, kills: 0 }

beforeAll(async () => {
  fleet = await makeFleet({
    container: noteServer({ pool: 3, isolation: 'container' }),
    paused: noteServer({ pool: { size: 2, paused: true }, isolation: 'reset', reset: [['rm', '-f', '/var/notes']] }),
    reset: noteServer({ pool: 2, isolation: 'reset', reset: [['rm', '-f', '/var/notes']] }),
    database: noteServer({ pool: 4, ...withDatabases }),
  })
  await fleet.done(['up'])
  await using running = await new Testfleet({ folder: fleet.folder }).join()
  environment = running.environment
})

afterAll(async () => {
  await fleet.cleanUp()
  expect(await countLeftovers(fleet.name)).toBe(0)
  expect((await listRecords()).filter((record) => record.fleet === fleet.name)).toEqual([])
  report('leases', counts)
  await removeFleetFolders()
})

/** Workers that lease from one server. One that is killed is replaced. */
function startWorkers(server: string) {
  const lines: string[] = []
  const workers: ChildProcess[] = []
  const start = (index: number): void => {
    const script = join(import.meta.dirname, '../support/lend-worker.py')
    const env = { ...process.env, ...environment }
    const worker = spawn('python3', [script, server], { env, stdio: ['ignore', 'pipe', 'ignore'] })
    createInterface({ input: worker.stdout }).on('line', (line) => lines.push(line))
    workers[index] = worker
  }
  for (let index = 0; index < WORKERS; index++) start(index)
  return {
    lines,
    async kill(index: number) {
      const worker = workers[index]
      worker?.kill('SIGKILL')
      if (worker !== undefined && worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit')
      start(index)
    },
    end() {
      for (const worker of workers) worker.kill('SIGKILL')
    },
  }
}

test.each(['container', 'paused', 'reset', 'database'])(
  'no lease of %s sees what another one wrote, also when processes are killed',
  async (server) => {
    const workers = startWorkers(server)
    while (workers.lines.length < leasesOf(server)) {
      const next = workers.lines.length + randomInt(1, 5)
      await vi.waitFor(() => expect(workers.lines.length).toBeGreaterThanOrEqual(next), { timeout: SOON_MS })
      await sleep(randomInt(50))
      await workers.kill(randomInt(WORKERS))
      counts.kills += 1
    }
    workers.end()
    counts.leases += workers.lines.length
    expect(workers.lines.filter((line) => !line.startsWith('clean'))).toEqual([])
    // Everything comes back without anyone asking for it.
    await using running = await new Testfleet({ folder: fleet.folder }).join()
    await using lease = await running.lease(server, { timeoutMs: SOON_MS })
    if (server !== 'database') return
    const list = async (): Promise<string[]> => {
      const { stdout } = await lease.exec(['sh', '-c', 'ls /var/notes.lease_*'])
      return stdout.trim().split('\n')
    }
    // The template, those that are ready, and the one that is leased now.
    await vi.waitFor(async () => expect(await list()).toHaveLength(1 + 4 + 1), { timeout: SOON_MS })
  },
)
