import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { Testfleet } from '../support/library.ts'
import { askEngine } from '../support/raw-engine.ts'
import { containersOf, inspect, makeFleet, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'
import { readError } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

const image = 'debian:bookworm-slim'
let fleet: StoryFleet

/** A container whose id is not in this file, if there is one, ends at once. */
const only = 'test ! -e /state/only || grep -q "$(cat /state/only)" /proc/self/mountinfo || exit 3'
const idle = 'trap "echo ended >> /state/log; exit 0" TERM; while :; do sleep 0.05; done'

beforeAll(async () => {
  fleet = await makeFleet({
    db: {
      image,
      command: ['sh', '-c', `mkdir -p /state; ${only}; echo up; ${idle}`],
      ports: [5000],
      secrets: { TOKEN: { generate: 20 } },
      tls: true,
      ready: [{ log: 'up' }],
      postStart: [['sh', '-c', 'echo prepared >> /state/log']],
      preStop: [['sh', '-c', 'echo asked >> /state/log']],
      export: { DB_AT: '${host}:${port.5000}', DB_TOKEN: '${secret.TOKEN}' },
    },
    cache: {
      image,
      command: ['sh', '-c', `mkdir /state; ${idle}`],
      // Two at a time would fail.
      reset: [['sh', '-c', 'mkdir /busy && test ! -e /state/broken && sleep 0.2 && rm -f /state/* && rmdir /busy']],
      postStart: [['touch', '/state/ready']],
    },
    web: { image, command: ['sleep', '600'], init: true, dependsOn: ['db'] },
    files: { image, command: ['sleep', '600'], init: true, mounts: [{ volume: 'kept', to: '/kept', writable: true }] },
  })
  await fleet.done(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

/** In this process, which is faster than a call of the command. */
const warnings: string[] = []
const client = (): InstanceType<typeof Testfleet> =>
  new Testfleet({
    folder: fleet.folder,
    onEvent: (event) => event.kind === 'warning' && warnings.push(event.data.message),
  })
const run = async (server: string, text: string): Promise<string> => {
  const { stdout, stderr } = await client().exec(server, ['sh', '-c', text])
  return stdout + stderr
}
const ps = (): Promise<SessionReport> => client().ps()
const log = async (): Promise<string[]> => (await run('db', 'cat /state/log')).trimEnd().split('\n')
const identity =
  'cat /run/secrets/TOKEN /run/testfleet/tls/key.pem; stat -c "%n %a %u" /run/testfleet/tls/* /run/secrets/*'

/** Names of the images that are snapshots of the fleet's servers. */
async function listImages(): Promise<string[]> {
  const found = (await askEngine('GET', '/images/json')) as { RepoTags: string[] | null; Labels: object | null }[]
  const { servers } = await ps()
  const session = (await inspect(servers.db?.container ?? '')).Config.Labels['dev.testfleet.session']
  return found.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.includes(`snapshot-${session}-`))
}

describe('a snapshot', () => {
  test('is brought back under the same endpoint, secrets and certificates, while other servers keep running', async () => {
    await using joined = await client().join(fleet.name)
    const db = joined.server('db')
    const before = { report: await ps(), exports: db.exports, files: await run('db', identity) }
    await db.exec(['sh', '-c', 'echo seeded > /state/data'])
    await db.snapshot('seeded')
    expect(await log()).toEqual(['prepared', 'asked', 'ended'])
    const taken = db.containerId
    await db.exec(['sh', '-c', 'echo changed > /state/data; echo new > /state/new'])
    await db.restore('seeded')
    expect(db.containerId).not.toBe(taken)
    expect((await db.exec(['sh', '-c', 'cat /state/data; ls /state'])).stdout).toBe('seeded\ndata\nlog\n')
    // The commands of `postStart` have done their work before.
    expect(await log()).toEqual(['prepared', 'asked', 'ended'])
    expect(db.exports).toEqual(before.exports)
    expect(db.endpoint(5000).port).toBe(before.report.servers.db?.endpoints['5000/tcp']?.port)
    expect(await run('db', identity)).toBe(before.files)
    const after = await ps()
    expect(after.servers.web).toEqual(before.report.servers.web)
    expect(after.servers.db?.state).toBe('ready')
    expect(await run('web', 'getent hosts db')).toContain(after.servers.db?.ip)
    expect(await fleet.json(['snapshot', 'db'])).toEqual({
      server: 'db',
      snapshots: [{ name: 'seeded', server: 'db', createdAt: expect.stringMatching(/^20/) }],
    })
    expect((await fleet.done(['plan'])).stdout).toContain('Nothing to do')
  })

  test('takes the place of an earlier one of its name, and can be removed', wide, async () => {
    await run('db', 'echo second > /state/data')
    await client().snapshot('db', 'seeded')
    await run('db', 'echo third > /state/data')
    expect(await listImages()).toHaveLength(1)
    const { servers } = await fleet.json(['restore', 'db', 'seeded'])
    expect(Object.keys(servers)).toEqual(['db'])
    expect(await run('db', 'cat /state/data')).toBe('second\n')
    const removal = await fleet.call(['snapshot', 'db', 'seeded', '--remove', '--json'])
    expect(readError(removal)).toMatchObject({
      code: 'USAGE',
      message: 'db runs from its snapshot seeded, which therefore cannot be removed',
      hint: 'Run `testfleet reset db` or restore another snapshot before you remove this one.',
    })
    await client().reset('db')
    await client().removeSnapshot('db', 'seeded')
    expect(await client().snapshots('db')).toEqual([])
  })

  test('from which the server does not start is not kept, and the server is put back', async () => {
    const before = containersOf(await ps())
    await run(
      'db',
      'hostname -f > /dev/null; grep -o "containers/[0-9a-f]*" /proc/self/mountinfo | head -1 > /state/only',
    )
    await expect(client().snapshot('db', 'bad')).rejects.toMatchObject({ code: 'SERVER_DIED', server: 'db' })
    expect(containersOf(await ps())).toEqual(before)
    expect((await ps()).servers.db?.state).toBe('ready')
    expect((await client().snapshots('db')).map(({ name }) => name)).not.toContain('bad')
    await run('db', 'rm /state/only')
  })

  test('needs a name that can be one, and a server that runs and keeps its files in its container', async () => {
    const testfleet = client()
    for (const name of ['../x', '-x', 'a b', 'x'.repeat(65), 'ä', '', 1 as never]) {
      await expect(testfleet.snapshot('db', name)).rejects.toMatchObject({ code: 'USAGE' })
      await expect(testfleet.restore('db', name)).rejects.toMatchObject({ code: 'USAGE' })
    }
    const unknown = { code: 'UNKNOWN_SNAPSHOT', server: 'db', message: 'db has no snapshot `none`' }
    await expect(testfleet.restore('db', 'none')).rejects.toMatchObject(unknown)
    await expect(testfleet.removeSnapshot('db', 'none')).rejects.toMatchObject(unknown)
    const calls = [
      (server: string) => testfleet.reset(server),
      (server: string) => testfleet.snapshot(server, 'x'),
      (server: string) => testfleet.restore(server, 'x'),
      (server: string) => testfleet.snapshots(server),
    ]
    for (const call of calls) await expect(call('dbb')).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' })
    const shared = { code: 'USAGE', message: 'files keeps files outside of its container, in /kept' }
    await expect(testfleet.snapshot('files', 'x')).rejects.toMatchObject(shared)
    await expect(testfleet.reset('files')).rejects.toMatchObject(shared)
    await testfleet.control({ verb: 'kill', signal: 'SIGKILL' }, { servers: ['web'] })
    await expect(testfleet.snapshot('web', 'x')).rejects.toMatchObject({ code: 'NOT_RUNNING', server: 'web' })
    // A server that does not run can be reset: it is started again.
    expect((await testfleet.reset('web')).servers.web?.state).toBe('ready')
    expect(readError(await fleet.call(['snapshot', 'db', '--remove', '--json']))).toMatchObject({ code: 'USAGE' })
  })
})

describe('a reset', () => {
  test('runs the recipe of the server, then its postStart commands, in the same container; another one waits', async () => {
    const before = containersOf(await ps())
    await run('cache', 'echo x > /state/left')
    await Promise.all([client().reset('cache'), client().reset('cache')])
    expect(await run('cache', 'ls /state')).toBe('ready\n')
    expect(containersOf(await ps())).toEqual(before)
    expect(warnings).toEqual([])
  })

  test('whose recipe fails starts the server again from its image, and says so', wide, async () => {
    await run('cache', 'touch /state/broken /state/left')
    await client().reset('cache')
    expect(warnings).toEqual([
      expect.stringMatching(/^cache: step 1 of `reset`.* failed with exit code 1; cache starts again from its image/),
    ])
    expect(await run('cache', 'ls /state')).toBe('ready\n')
  })

  test('of a server without a recipe starts it from its image, under the same endpoint', async () => {
    await using joined = await client().join(fleet.name)
    const db = joined.server('db')
    const { exports, containerId } = db
    await db.exec(['sh', '-c', 'echo x > /state/left'])
    await db.reset()
    expect((await db.exec(['sh', '-c', 'ls /state; cat /state/log'])).stdout).toBe('log\nprepared\n')
    expect(db.exports).toEqual(exports)
    expect(db.containerId).not.toBe(containerId)
  })
})

test('snapshots are removed with their session', async () => {
  if ((await listImages()).length === 0) await client().snapshot('db', 'seeded')
  const [reference = ''] = await listImages()
  expect(reference).toMatch(/:seeded-[0-9a-f]{8}$/)
  await fleet.done(['down'])
  await expect(askEngine('GET', `/images/${reference}/json`)).rejects.toThrow()
})
