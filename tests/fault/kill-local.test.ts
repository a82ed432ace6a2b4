import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { listProcesses, readCommand, send } from '../../src/runtime/processes/process-table.ts'
import { removeFleetFolders, SOON_MS, startTestfleet } from '../support/command.ts'
import { isLong, makeRandom, report } from '../support/fault.ts'
import { type LocalStore, makeLocalStore, whyNoLocalEngine } from '../support/local-store.ts'
import { findTraces, readIds } from '../support/local-traces.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'

const ROUNDS = isLong ? 200 : 9
/** Longest life of a call before it is killed: longer than it takes to start, and to end again. */
const LIFE_MS = 1500
const problem = await whyNoLocalEngine()
const random = makeRandom()
const nothing = { processes: [], mounts: [], names: [] }
/** Who is killed: the first one has a keeper to clean up, the others need the next call. */
const victims = ['the call', 'the call and its keeper', 'everything, as when the machine restarts'] as const
const counts = { rounds: 0, 'with containers': 0, 'longest wait, ms': 0 }

describe.skipIf(problem !== undefined)('a call with the local engine', () => {
  let store: LocalStore
  let fleet: StoryFleet

  beforeAll(async () => {
    store = await makeLocalStore()
    const sleeping = { image: 'debian:bookworm-slim', command: ['sleep', '1000'], init: true }
    const web = { ...sleeping, command: httpServer(80, 'page\n'), ports: [80], ready: [{ http: { port: 80 } }] }
    fleet = await makeFleet({ web, one: { ...sleeping, dependsOn: ['web'] }, two: sleeping })
  })

  afterAll(async () => {
    report('kill local', counts)
    await store?.remove()
    await removeFleetFolders()
  })

  test(`leaves nothing when it is killed ${ROUNDS} times at any moment`, { timeout: 30 * 60_000 }, async () => {
    const env = { TESTFLEET_ENGINE: store.url }
    const ids = new Set<string>()
    const note = async (): Promise<void> => {
      for (const id of await readIds(store)) ids.add(id)
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      const who = victims[round % victims.length] ?? 'the call'
      const call = startTestfleet(['run', '--', 'sleep', '0.5'], { cwd: fleet.folder, env })
      const atMs = Math.round(random() * LIFE_MS)
      await sleep(atMs)
      const keepers = findKeepers(call.pid)
      await note()
      counts['with containers'] += Math.min((await readIds(store)).length, 1)
      call.kill('SIGKILL')
      if (who !== 'the call') send(keepers, 'SIGKILL')
      if (who.startsWith('everything')) await endEverything(store, [...ids])
      await call.result
      await note()
      const said = `${who} killed ${atMs} ms after the start, round ${round}`
      const since = performance.now()
      await vi.waitFor(
        async () => {
          if (who !== 'the call') await fleet.done(['ps', '--all'], { env })
          await note()
          expect(await findTraces(store, [...ids]), said).toEqual(nothing)
          expect(await listRubbish(store), said).toEqual([])
        },
        { timeout: SOON_MS, interval: 100 },
      )
      counts['longest wait, ms'] = Math.max(counts['longest wait, ms'], Math.round(performance.now() - since))
      counts.rounds += 1
    }
    // Without a container that was there, nothing was tested.
    expect(counts['with containers']).toBeGreaterThan(0)
    expect(counts.rounds).toBe(ROUNDS)
  })
})

/** Everything of sessions that a store still has. */
async function listRubbish({ folder }: LocalStore): Promise<readonly string[]> {
  const rooms = ['containers', 'networks', 'volumes', 'builds', 'names/containers', 'names/networks', 'exits', 'locks']
  const found = await Promise.all(
    rooms.map(async (room) => (await readdir(join(folder, room)).catch(() => [])).map((name) => `${room}/${name}`)),
  )
  return found.flat()
}

function findKeepers(pid: number): number[] {
  const children = [...listProcesses().values()].filter(({ parentPid }) => parentPid === pid)
  return children
    .map((child) => child.pid)
    .filter((one) => readCommand(one).some((word) => /[\\/]keeper[\\/]main\.[jt]s$/.test(word)))
}

/** What a restart of the machine ends: processes, mounts, namespaces, interfaces, rules. The folder stays. */
async function endEverything(store: LocalStore, ids: readonly string[]): Promise<void> {
  const run = (program: string, ...words: string[]) => promisify(execFile)(program, words).catch(() => {})
  const isOwn = (text: string): boolean =>
    text.includes(store.folder) || ids.some((id) => text.includes(id.slice(0, 12)))
  const all = [...listProcesses().values()].map(({ pid }) => pid).filter((pid) => pid !== process.pid)
  send(
    all.filter((pid) => isOwn(readCommand(pid).join(' '))),
    'SIGKILL',
  )
  const { mounts, names } = await findTraces(store, ids)
  for (const line of mounts) await run('umount', '-l', line.split(' ')[4] ?? '')
  for (const name of names) {
    const table = /^table inet (\S+)/.exec(name)?.[1]
    if (table !== undefined) await run('/usr/sbin/nft', 'delete', 'table', 'inet', table)
    await run('/usr/sbin/ip', 'netns', 'delete', name)
    await run('/usr/sbin/ip', 'link', 'delete', name)
  }
}
