import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { countLeftovers, makeFleetFolder, removeFleetFolders, SOON_MS } from '../support/command.ts'
import { Testfleet } from '../support/library.ts'

/** One fleet, and every call of the client once. The command uses them, so its tests check the details. */
const name = `client-${randomBytes(3).toString('hex')}`
const image = 'debian:bookworm-slim'
const fleetFile = {
  name,
  servers: {
    web: {
      image,
      command: ['sh', '-c', 'echo serving; exec sleep 600'],
      ports: [8080],
      init: true,
      ready: [{ log: 'serving' }],
    },
    seed: { build: { from: image, run: ['echo seed > /seed'] }, command: ['cat', '/seed'], ready: [{ exit: 0 }] },
  },
}

let testfleet: InstanceType<typeof Testfleet>
const kinds = new Set<string>()

beforeAll(async () => {
  const folder = await makeFleetFolder({ 'testfleet.json': JSON.stringify(fleetFile), 'tmp/.keep': '' })
  // What is written for a failure goes with the folder.
  vi.stubEnv('TMPDIR', join(folder, 'tmp'))
  testfleet = new Testfleet({ folder, onEvent: ({ kind }) => kinds.add(kind) })
})

afterAll(async () => {
  await testfleet.down({ force: true })
  await testfleet.removeImages()
  vi.unstubAllEnvs()
  await removeFleetFolders()
})

describe('a client', () => {
  test('loads, checks and plans a fleet, and returns the presets and the schema', async () => {
    expect(await testfleet.load()).toMatchObject({
      name,
      servers: { web: { ports: [{ port: 8080, protocol: 'tcp' }] } },
    })
    expect(await testfleet.check()).toMatchObject({ file: 'testfleet.json', servers: ['web', 'seed'] })
    expect(await testfleet.sarif()).toMatchObject({ log: { version: '2.1.0' }, error: undefined })
    expect((await testfleet.sarif({ servers: {} })).error).toMatchObject({ code: 'FLEET_FILE_INVALID' })
    const { operations, text } = await testfleet.plan()
    expect(operations.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['buildImage', 'startServer']))
    expect(text).toContain(`session ${name}`)
    expect(await testfleet.presets('redis')).toMatchObject([{ name: 'redis', page: expect.any(String) }])
    await expect(testfleet.presets('no-such-preset')).rejects.toMatchObject({ code: 'USAGE' })
    expect(await testfleet.schema()).toHaveProperty('$schema')
    expect(await testfleet.pin({ mode: 'check' })).toMatchObject({ file: 'testfleet.json' })
    expect(await testfleet.doctor()).toMatchObject({ version: { os: 'linux' }, findings: expect.any(Array) })
  })

  test('refuses what only plain JavaScript can give it, before anything is touched', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: the types do not allow it
    const [client, Client] = [testfleet, Testfleet] as any
    const calls: readonly (() => unknown)[] = [
      () => client.load(5),
      () => client.ps({ file: 5 }),
      () => client.ps(null),
      () => client.up(undefined, { servers: 'web' }),
      () => client.run('pytest'),
      () => client.run([]),
      () => client.exec('web', 'ls'),
      () => client.remove('web'),
      () => client.prune({ keepImages: -1 }),
      () => client.control(),
      () => client.control({ verb: 'constructor' }),
      () => client.control({ verb: 'kill', signal: 9 }),
      () => client.control({ verb: 'stop', graceMs: '5' }),
      () => client.copy('', 'web:/tmp'),
      () => client.presets(5),
      () => client.logs({ tail: -1 }).next(),
      () => client.events({ signal: 5 }),
      () => new Client({ onEvent: 5 }),
      () => new Client({ engine: 5 }),
    ]
    for (const call of calls) {
      const given = await Promise.resolve()
        .then(call)
        .catch((error: unknown) => error)
      expect(given, String(call)).toMatchObject({ code: 'USAGE' })
    }
  })

  test('builds a fleet, starts it, inspects it, works in its servers, runs commands, and takes it down', async () => {
    expect(await testfleet.build()).toMatchObject({ seed: { built: true } })
    const fleet = await testfleet.up(undefined, { timeoutMs: 0 })
    expect(fleet.session).toBe(name)
    expect(await testfleet.ps()).toMatchObject({ servers: { web: { state: 'ready' }, seed: { state: 'completed' } } })
    expect(await testfleet.sessions()).toContainEqual(expect.objectContaining({ session: name, running: 1 }))
    expect(await testfleet.environment()).toMatchObject({ TESTFLEET_SESSION: name })
    expect(await testfleet.environmentText('shell')).toContain(`export TESTFLEET_SESSION='${name}'`)
    expect(await testfleet.hosts()).toMatchObject({ servers: { web: { names: [`web.${name}.test`] } } })
    expect(await testfleet.exec('web', ['cat'], { input: 'in' })).toEqual({ exitCode: 0, stdout: 'in', stderr: '' })
    const lines: string[] = []
    for await (const { server, text } of testfleet.logs()) lines.push(`${server}: ${text}`)
    expect(lines.sort()).toEqual(['seed: seed', 'web: serving'])
    for await (const { text } of testfleet.logs({ servers: ['web'], follow: true })) {
      expect(text).toBe('serving')
      break
    }

    await using joined = await testfleet.join()
    expect(await joined.run(['sh', '-c', 'test "$TESTFLEET_SESSION" = "$1"', 'sh', name])).toMatchObject({
      exitCode: 0,
    })
    await expect(joined.run(['no-such-program'])).rejects.toMatchObject({ code: 'USAGE' })
    const ended = joined.run(['sleep', '600'], { signal: AbortSignal.timeout(300) })
    await expect(ended).rejects.toMatchObject({ name: 'TimeoutError' })
    await joined.leave()

    expect(await testfleet.hold(process.ppid)).toMatchObject({ session: name, held: 0, stays: true })
    expect(await testfleet.release(process.ppid)).toMatchObject({ held: 0 })
    const stopped = await testfleet.control({ verb: 'stop', graceMs: undefined }, { servers: ['web'] })
    expect(stopped).toMatchObject({ servers: { web: { state: 'exited' } } })
    expect(await testfleet.remove(['web'])).toMatchObject({ servers: ['web'] })
    expect(await testfleet.prune({ dryRun: true })).toHaveProperty('kept')
    await expect(fleet.server('web').exec(['true'])).rejects.toMatchObject({ code: 'NOT_FOUND', server: 'web' })
    await testfleet.up(undefined, { servers: ['web'] })
    // A handle finds the container that has taken the place of its own.
    expect(await fleet.server('web').exec(['echo', 'new'])).toMatchObject({ stdout: 'new\n' })

    const enough = new Error('enough')
    await expect(fleet.down({ signal: AbortSignal.abort(enough) })).rejects.toBe(enough)
    await expect(fleet.down({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'USAGE' })
    // A fleet that was left can still be taken down.
    await fleet.leave()
    expect(await testfleet.sessions()).toContainEqual(expect.objectContaining({ session: name }))
    await Promise.all([fleet.down({ timeoutMs: SOON_MS }), fleet.down()])
    await fleet.leave()
    expect((await fleet.events().next()).done).toBe(true)
    const gone = { code: 'NO_SESSION' }
    await expect(fleet.server('web').exec(['true'])).rejects.toMatchObject(gone)
    await expect(fleet.server('web').logs().next()).rejects.toMatchObject(gone)
    await expect(fleet.server('web').copyTo('testfleet.json', '/tmp/')).rejects.toMatchObject(gone)
    await expect(fleet.run(['true'])).rejects.toMatchObject(gone)
    expect(await testfleet.down()).toEqual({ session: name, servers: [], networks: 0, volumes: 0 })
    expect([...kinds]).toEqual(expect.arrayContaining(['operation.started', 'server.removed', 'operation.ended']))
  })

  test('runs a command with its own session, which is removed afterwards', async () => {
    const result = await testfleet.run(['sh', '-c', 'test -n "$TESTFLEET_WEB_PORT_8080" && exit 7'], {
      servers: ['web'],
    })
    expect(result).toMatchObject({ exitCode: 7, ended: [], bundle: { folder: expect.any(String) } })
    expect(await testfleet.removeImages()).toHaveLength(1)
    expect(await countLeftovers(name)).toBe(0)
  })
})
