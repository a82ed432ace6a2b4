import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { openFaultProxy } from '../support/fault-proxy.ts'
import { containersOf, inspect, makeFleet, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
const idle = ['sleep', '600']
const first = 'given-by-the-environment-1'
const second = 'given-by-the-environment-2'

let fleet: StoryFleet
let containers: Record<string, string>
const withToken = (value: string) => ({ env: { STORY_TOKEN: value } })

beforeAll(async () => {
  fleet = await makeFleet(
    {
      db: {
        image,
        command: idle,
        user: 'nobody',
        ports: [5432],
        ready: [{ exec: ['true'] }],
        secrets: { PASSWORD: { generate: 24 }, 'api.key': { file: 'keys/api key' }, TOKEN: { env: 'STORY_TOKEN' } },
        environment: { PASSWORD_FILE: '/run/secrets/PASSWORD' },
        export: { DATABASE_URL: 'postgres://app:${secret.PASSWORD}@${host}:${port.5432}/app' },
      },
      app: { image, command: idle, dependsOn: ['db'] },
      other: { image, command: idle },
    },
    { 'keys/api key': 'größe $HOME "two lines"\nand the second\n' },
  )
  containers = containersOf(await fleet.json(['up'], withToken(first)))
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

const read = (secret: string): Promise<string> => fleet.exec('db', 'cat', `/run/secrets/${secret}`)

async function upAgain(token: string): Promise<string[]> {
  const now = containersOf(await fleet.json(['up'], withToken(token)))
  const changed = Object.keys(now).filter((name) => now[name] !== containers[name])
  containers = now
  return changed
}

describe('secrets', () => {
  test('are files in the server that its user can read', async () => {
    expect(await read('PASSWORD')).toMatch(/^[A-Za-z0-9]{24}$/)
    // The end of a file's last line is not of the secret.
    expect(await read('api.key')).toBe('größe $HOME "two lines"\nand the second')
    expect(await read('TOKEN')).toBe(first)
    expect(await fleet.exec('db', 'id', '-un')).toBe('nobody\n')
  })

  test('are filled into the exports that a test reads', async () => {
    const { stdout } = await fleet.done(['endpoints', '--format', 'json'])
    expect(JSON.parse(stdout).DATABASE_URL).toMatch(
      new RegExp(`^postgres://app:${await read('PASSWORD')}@127\\.0\\.0\\.1:\\d+/app$`),
    )
  })

  test('are neither in the inspected container nor in the output of commands', async () => {
    const values = [await read('PASSWORD'), await read('TOKEN'), 'two lines']
    const seen = [
      JSON.stringify(await inspect(containers.db ?? '')),
      ...(await Promise.all([['ps'], ['ps', '--json'], ['plan', '--json'], ['up', '--verbose']].map(printed))),
    ]
    for (const text of seen) for (const value of values) expect(text).not.toContain(value)
  })

  test('stay the same when nothing has changed', async () => {
    const password = await read('PASSWORD')
    expect(await upAgain(first)).toEqual([])
    expect(await read('PASSWORD')).toBe(password)
  })

  test('are read from the container only by callers who cannot decrypt them in the record', async () => {
    await using proxy = await openFaultProxy()
    const archives = () => proxy.kinds.get('GET /containers/{id}/archive') ?? 0
    const through = { STORY_TOKEN: first, DOCKER_HOST: proxy.url }
    const words = ['endpoints', '--format', 'json']
    const { stdout } = await fleet.done(words, { env: through })
    await fleet.done(['up'], { env: through })
    await fleet.done(['plan'], { env: through })
    expect([proxy.kinds.size > 0, archives()]).toEqual([true, 0])
    // Another user, or another machine.
    const elsewhere = { env: { ...through, TESTFLEET_STATE_DIR: join(fleet.folder, 'elsewhere') } }
    expect((await fleet.done(words, elsewhere)).stdout).toBe(stdout)
    expect(archives()).toBe(1)
    expect((await fleet.done(['plan'], elsewhere)).stdout).toContain('Nothing to do.')
    expect(archives()).toBe(2)
  })

  test('replace the server and its dependents when they change', async () => {
    const { stdout } = await fleet.done(['plan'], withToken(second))
    expect(stdout).toContain('start   db: secret TOKEN changed')
    expect(stdout).not.toContain(second)
    expect(await upAgain(second)).toEqual(['app', 'db'])
    expect(await read('TOKEN')).toBe(second)
    await writeFile(join(fleet.folder, 'keys/api key'), 'another')
    expect(await upAgain(second)).toEqual(['app', 'db'])
    expect(await read('api.key')).toBe('another')
    expect(await upAgain(second)).toEqual([])
  })

  test('are reported when they are missing, before anything is changed', async () => {
    const missing = { exitCode: 1, stdout: '', stderr: expect.stringContaining('STORY_TOKEN') }
    expect(await fleet.call(['up'], { env: { STORY_TOKEN: undefined } })).toMatchObject(missing)
    expect(containersOf(await fleet.report())).toEqual(containers)
    // Who looks does not need them.
    await fleet.done(['logs'])
  })

  test('are removed with the session', async () => {
    const before = containers.db ?? ''
    const mounts = ((await inspect(before)) as unknown as { Mounts: { Name: string }[] }).Mounts
    await fleet.done(['down'])
    const { askEngine } = await import('../support/raw-engine.ts')
    for (const { Name } of mounts) await expect(askEngine('GET', `/volumes/${Name}`)).rejects.toThrow('404')
  })
})

async function printed(words: string[]): Promise<string> {
  const { stdout, stderr } = await fleet.done(words, withToken(first))
  return stdout + stderr
}
