import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { countLeftovers, removeFleetFolders } from '../support/command.ts'
import { containersOf, inspect, makeFleet, type Servers, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const image = 'debian:bookworm-slim'
const fleets: StoryFleet[] = []

async function open(servers: Servers): Promise<StoryFleet> {
  const fleet = await makeFleet(servers)
  fleets.push(fleet)
  return fleet
}

afterEach(async () => {
  for (const fleet of fleets.splice(0)) {
    await fleet.cleanUp()
    expect(await countLeftovers(fleet.name)).toBe(0)
  }
})

afterAll(removeFleetFolders)

const say = (delay: number, word: string): string[] => ['sh', '-c', `sleep ${delay}; echo ${word}; exec sleep 600`]

/** When the server's container was started, and when it said its word, by the engine's clock. */
async function timesOf(fleet: StoryFleet, server: string): Promise<{ startedAt: number; saidAt: number }> {
  const { State } = await inspect(containersOf(await fleet.report())[server] ?? '')
  const { stdout } = await fleet.done(['logs', '--timestamps', server])
  return { startedAt: Date.parse(State.StartedAt), saidAt: Date.parse(stdout.split(' ')[2] ?? '') }
}

describe('dependencies', () => {
  test('are ready before their dependents start, and independent servers start at the same time', async () => {
    const mounts = [{ volume: 'data', to: '/data', writable: true }]
    const until = (file: string): string => `until [ -e /data/${file} ]; do sleep 0.05; done;`
    const server = (script: string, word: string) => ({
      ...{ image, mounts, ready: [{ log: word }] },
      command: ['sh', '-c', `${script} echo ${word}; exec sleep 600`],
    })
    const fleet = await open({
      // In the file, what depends stands first.
      last: { ...server('touch /data/last;', 'last'), dependsOn: ['second', 'first'] },
      second: { ...server('', 'second'), dependsOn: ['first'] },
      // `slow` and this one start side by side, or never get ready.
      first: server(until('slow-begun'), 'first'),
      // Nor does this one get ready, unless `last` starts without waiting for it.
      slow: server(`touch /data/slow-begun; ${until('last')}`, 'slow'),
    })
    await fleet.done(['up'])
    const [first, second, last] = await Promise.all(['first', 'second', 'last'].map((server) => timesOf(fleet, server)))
    if (!first || !second || !last) throw new Error('three servers have three times')
    expect(second.startedAt).toBeGreaterThanOrEqual(first.saidAt)
    expect(last.startedAt).toBeGreaterThanOrEqual(second.saidAt)
  })

  test('start with the server that is named, and no other server starts', wide, async () => {
    const fleet = await open({
      web: { image, command: say(0, 'x'), dependsOn: ['app'] },
      app: { image, command: say(0, 'x'), dependsOn: ['db'] },
      db: { image, command: say(0, 'x') },
      other: { image, command: say(0, 'x'), dependsOn: ['db'] },
    })
    expect(Object.keys((await fleet.json(['up', 'app'])).servers)).toEqual(['app', 'db'])
    expect(Object.keys((await fleet.json(['up', 'web', 'other'])).servers)).toEqual(['app', 'db', 'other', 'web'])
    expect(await fleet.call(['up', 'wbe'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('wbe') })
  })
})

describe('a server with an `exit` check', () => {
  test('completes before its dependents start, and runs only once', async () => {
    const seed = 'sleep 0.5; echo "row $(date +%s%N)" >> /data/rows; echo seeded'
    const fleet = await open({
      app: {
        image,
        command: ['sh', '-c', 'cat /data/rows; exec sleep 600'],
        dependsOn: ['seed'],
        mounts: [{ volume: 'data', to: '/data' }],
        ready: [{ log: 'row' }],
      },
      seed: {
        image,
        command: ['sh', '-c', seed],
        mounts: [{ volume: 'data', to: '/data', writable: true }],
        ready: [{ exit: 0 }],
      },
    })
    const first = await fleet.json(['up'])
    expect(first.servers.seed?.state).toBe('completed')
    const done = await inspect(containersOf(first).seed ?? '')
    const app = await inspect(containersOf(first).app ?? '')
    expect(Date.parse(app.State.StartedAt)).toBeGreaterThanOrEqual(Date.parse(done.State.FinishedAt))

    const { stderr } = await fleet.done(['up'])
    expect(stderr).toBe('seed: completed (unchanged)\napp: ready (unchanged)\n')
    expect(containersOf(await fleet.report())).toEqual(containersOf(first))
    expect((await inspect(containersOf(first).seed ?? '')).State).toEqual(done.State)
    const { stdout } = await fleet.done(['exec', 'app', '--', 'cat', '/data/rows'])
    expect(stdout).toMatch(/^row \d+\n$/)
  })

  test('runs again, with its dependents, when it has changed or was removed', wide, async () => {
    const servers = (word: string): Servers => ({
      seed: { image, command: ['echo', word], ready: [{ exit: 0 }] },
      app: { image, command: say(0, 'up'), dependsOn: ['seed'] },
      other: { image, command: say(0, 'up') },
    })
    const fleet = await open(servers('one'))
    const first = containersOf(await fleet.json(['up']))
    await fleet.declare(servers('two'))
    const second = containersOf(await fleet.json(['up']))
    expect([second.seed !== first.seed, second.app !== first.app, second.other !== first.other]).toEqual([
      true,
      true,
      false,
    ])
    expect((await fleet.done(['logs', 'seed'])).stdout).toBe('seed | two\n')
    await fleet.done(['rm', 'seed'])
    const third = containersOf(await fleet.json(['up']))
    expect([third.seed !== second.seed, third.app !== second.app, third.other !== second.other]).toEqual([
      true,
      true,
      false,
    ])
  })
})
