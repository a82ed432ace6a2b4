import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { countLeftovers, makeFleetFolder, removeFleetFolders, runTestfleet, SOON_MS } from '../support/command.ts'
import { openEngineRelay } from '../support/engine-relay.ts'
import { libraryFile, readTexts, startFleet, TestfleetError } from '../support/library.ts'
import { httpServer } from '../support/perl-servers.ts'
import { wide } from '../support/tiers.ts'

type Source = Exclude<Parameters<typeof startFleet>[0], string | undefined>
type Events = Parameters<NonNullable<NonNullable<Parameters<typeof startFleet>[1]>['onEvent']>>[0][]

const image = 'debian:bookworm-slim'
const idle = ['sleep', '600']
const name = `library-${randomBytes(3).toString('hex')}`

const fleetFile = {
  name,
  servers: {
    web: {
      image,
      command: httpServer(8080),
      ports: [8080],
      ready: [{ http: { port: 8080 } }],
      export: { WEB_URL: 'http://${host}:${port.8080}/' },
      dependsOn: ['db'],
    },
    db: { image, command: idle },
    seed: { image, command: ['echo', 'seeded'], ready: [{ exit: 0 }] },
  },
} satisfies Source

let folder: string

beforeAll(async () => {
  folder = await makeFleetFolder({
    'tmp/.keep': '',
    'testfleet.json': JSON.stringify(fleetFile),
    'sub/testfleet.yaml': `name: ${name}\nservers: { one: { image: "${image}", command: [sleep, "600"] } }\n`,
  })
  // What is written for a failure goes with the folder.
  vi.stubEnv('TMPDIR', join(folder, 'tmp'))
})

afterEach(async () => {
  expect(await countLeftovers(name)).toBe(0)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await removeFleetFolders()
})

describe('startFleet', () => {
  test('starts the fleet of an object, and takes it down when the scope of the result ends', async () => {
    const events: Events = []
    {
      await using fleet = await startFleet(fleetFile, { onEvent: (event) => events.push(event) })
      expect(fleet.session).toMatch(new RegExp(`^${name}-[0-9a-f]{6}$`))
      expect(fleet.domain).toBe(`${name}.test`)
      // It has no server with a certificate.
      expect([fleet.caFile, fleet.certificateAuthority]).toEqual([undefined, undefined])
      expect(await Promise.all(fleet.servers.map(async (server) => [server.name, await server.state()]))).toEqual([
        ['db', 'ready'],
        ['seed', 'completed'],
        ['web', 'ready'],
      ])
      const web = fleet.server('web')
      expect(web).toMatchObject({ name: 'web', hostname: `web.${name}.test`, ip: expect.stringMatching(/^[\d.]+$/) })
      const { host, port } = web.endpoint(8080)
      expect(web.endpoint()).toEqual({ host, port, protocol: 'tcp', url: `http://${host}:${port}` })
      expect(web.endpoint(8080, 'tcp')).toEqual(web.endpoint())
      expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('hello')
      expect(fleet.environment).toMatchObject({
        TESTFLEET_SESSION: fleet.session,
        TESTFLEET_WEB_PORT: String(port),
        WEB_URL: `http://127.0.0.1:${port}/`,
      })
      expect(fleet.exports).toEqual({ WEB_URL: `http://127.0.0.1:${port}/` })
      expect(web.exports).toEqual(fleet.exports)
      expect(fleet.server('db').exports).toEqual({})
      expect(await readTexts(fleet.server('seed').logs())).toEqual(['seeded'])
      expect(await readTexts(web.logs())).toEqual(
        expect.arrayContaining(['listening at 8080', 'asked: GET / HTTP/1.1']),
      )
      // Three servers, their network, and the session's record.
      expect(await countLeftovers(name)).toBe(5)
    }
    expect(await countLeftovers(name)).toBe(0)
    const tell = ({ kind, data }: (typeof events)[number]) => `${kind} ${'server' in data ? data.server : ''}`.trim()
    const order = events.map(tell)
    for (const one of ['server.ready db', 'server.completed seed', 'server.ready web', 'network.created', 'plan.made'])
      expect(order.filter((other) => other === one)).toEqual([one])
    expect(order.indexOf('server.ready db')).toBeLessThan(order.indexOf('server.starting web'))
    // The start and the end of each call, and nothing outside of them.
    const calls = Map.groupBy(events, ({ operation }) => operation.id)
    const ofCalls = [...calls.values()].map((own) => [own[0]?.operation.name, own[0]?.kind, own.at(-1)?.kind])
    const ends = ['operation.started', 'operation.ended']
    const called = ['start', 'inspect', 'inspect', 'inspect', 'logs', 'logs', 'down']
    expect(ofCalls).toEqual(called.map((name) => [name, ...ends]))
    expect(order.slice(-2)).toEqual(['network.removed', 'operation.ended'])
    expect(new Set(events.slice(1).map(({ session }) => session)).size).toBe(1)
  })

  for (const [name, source, from, tier] of [
    ['its path', () => join(folder, 'testfleet.json'), undefined, wide],
    ['its path, from a folder', () => 'testfleet.json', '.', wide],
    ['the nearest one', () => undefined, 'sub/..', {}],
  ] as const) {
    test(`starts the fleet of a file: ${name}`, tier, async () => {
      await using fleet = await startFleet(source(), {
        servers: ['db'],
        ...(from === undefined ? {} : { folder: join(folder, from) }),
      })
      expect(fleet.servers.map((server) => server.name)).toEqual(['db'])
    })
  }

  test('starts the named servers and their dependencies', wide, async () => {
    await using fleet = await startFleet(fleetFile, { servers: ['web'], session: `${name}-abcdef` })
    expect(fleet.session).toBe(`${name}-abcdef`)
    expect(fleet.servers.map((server) => server.name)).toEqual(['db', 'web'])
    expect(() => fleet.server('seed')).toThrow(expect.objectContaining({ code: 'UNKNOWN_SERVER' }))
    // @ts-expect-error: the fleet has no such port
    expect(() => fleet.server('db').endpoint(80)).toThrow(expect.objectContaining({ code: 'PORT_UNREACHABLE' }))
    expect(() => fleet.server('db').endpoint()).toThrow(TestfleetError)
  })

  test('does not keep its process alive after `down`', async () => {
    const script = `
      import { startFleet } from '${libraryFile}'
      const own = [process.stdout, process.stderr].map(() => process.getActiveResourcesInfo()).at(-1)
      const fleet = await startFleet('./testfleet.json', { servers: ['web'] })
      await fleet.server('db').exec(['cat'], { input: 'x' })
      await fleet.down()
      // What is closed is gone some turns later, however long these take.
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
      console.log(JSON.stringify({ own, left: process.getActiveResourcesInfo() }))`
    await writeFile(join(folder, 'script.mjs'), script)
    const { stdout, stderr } = await runTestfleet([], { cwd: folder, prefix: [process.execPath, 'script.mjs'] })
    expect(stderr).toBe('')
    const { own, left } = JSON.parse(stdout)
    expect(left).toEqual(own)
  })

  test('starts several independent fleets at once', wide, async () => {
    const fleets = await Promise.all([1, 2].map(() => startFleet(fleetFile, { servers: ['web'] })))
    const ports = fleets.map((fleet) => fleet.server('web').endpoint().port)
    expect(new Set(ports).size).toBe(2)
    await fleets[0]?.down()
    expect(await (await fetch(`http://127.0.0.1:${ports[1]}/`)).text()).toBe('hello')
    await Promise.all(fleets.flatMap((fleet) => [fleet.down(), fleet.down()]))
  })
})

describe('exec', () => {
  test('returns the output of a command and its exit code', async () => {
    await using fleet = await startFleet(fleetFile, { servers: ['db'] })
    const db = fleet.server('db')
    expect(await db.exec(['sh', '-c', 'echo größe; echo err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'größe\n',
      stderr: 'err\n',
    })
    expect(await db.exec(['cat'], { input: 'text with größe' })).toMatchObject({ stdout: 'text with größe' })
    const bytes = randomBytes(1_000_000)
    expect(await db.exec(['sha256sum'], { input: bytes })).toMatchObject({
      stdout: `${createHash('sha256').update(bytes).digest('hex')}  -\n`,
    })
    expect(await db.exec(['cat'])).toMatchObject({ exitCode: 0, stdout: '' })
    const where = { user: 'nobody', workingDir: '/var/tmp', environment: { A: 'x y' } }
    expect(await db.exec(['sh', '-c', 'id -un; pwd; echo "$A"'], where)).toMatchObject({
      stdout: 'nobody\n/var/tmp\nx y\n',
    })
    await expect(db.exec(['no-such-program'])).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' })
    const startedAt = performance.now()
    const sleeping = db.exec(['sleep', '600'], { signal: AbortSignal.timeout(300) })
    await expect(sleeping).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - startedAt).toBeLessThan(SOON_MS)
    const look = 'grep -l "^sleep.60[0]" /proc/[0-9]*/cmdline'
    expect(await db.exec(['sh', '-c', look])).toMatchObject({ stdout: '' })
  })
})

describe('a start that fails', () => {
  const failing = (server: Source['servers'][string]): Source => ({
    name,
    servers: { db: { image, command: idle }, bad: { ...server, dependsOn: ['db'] } },
  })

  const failures: [string, () => Source | string, object][] = [
    [
      'SERVER_DIED',
      () => failing({ image, command: ['sh', '-c', 'echo why >&2; exit 7'], ready: [{ exec: ['false'] }] }),
      { server: 'bad', output: ['why'] },
    ],
    [
      'READY_TIMEOUT',
      () => failing({ image, command: idle, ports: [80], readyTimeout: '500ms' }),
      { server: 'bad', exitCode: 4, bundle: expect.stringContaining(name) },
    ],
    ['COMMAND_NOT_FOUND', () => failing({ image, command: ['no-such-program'] }), { server: 'bad' }],
    [
      'BUILD_FAILED',
      () => failing({ build: { run: ['echo why; exit 3'] } }),
      { output: expect.arrayContaining(['why']) },
    ],
    ['FLEET_FILE_NOT_FOUND', () => join(folder, 'missing.yaml'), { exitCode: 2 }],
    ['FLEET_FILE_INVALID', () => ({ name, servers: { Bad: {} } }) as Source, { exitCode: 2 }],
  ]
  for (const [code, source, details] of failures) {
    // Each is a bring-up; that any failure is taken back, the first has shown.
    const tier = ['READY_TIMEOUT', 'COMMAND_NOT_FOUND', 'BUILD_FAILED'].includes(code) ? wide : {}
    test(`rejects with ${code}, and leaves nothing behind`, tier, async () => {
      const error: unknown = await startFleet(source()).then(
        (fleet) => fleet.down(),
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(TestfleetError)
      expect(error).toMatchObject({ code, ...details })
    })
  }

  test('rejects for an unknown engine, server or session name', async () => {
    await expect(startFleet(fleetFile, { engine: 'unix:///nowhere.sock' })).rejects.toMatchObject({ code: 'NO_ENGINE' })
    // @ts-expect-error: the fleet has no such server
    await expect(startFleet(fleetFile, { servers: ['wbe'] })).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' })
    await expect(startFleet(fleetFile, { session: 'No Name' })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

test('an engine on another machine without TLS is refused, unless `insecureEngine` allows it', async () => {
  await using relay = await openEngineRelay()
  // This machine again, but not by an address of its loopback.
  const options = { engine: `tcp://0.0.0.0:${relay.port}`, servers: ['db'] } as const
  await expect(startFleet(fleetFile, options)).rejects.toMatchObject({
    code: 'ENGINE_INSECURE',
    hint: expect.stringContaining('`insecureEngine: true`'),
  })
  await using fleet = await startFleet(fleetFile, { ...options, insecureEngine: true })
  expect(await fleet.server('db').exec(['echo', 'there'])).toMatchObject({ exitCode: 0, stdout: 'there\n' })
})

describe('a start that is cancelled', () => {
  const file = (): Source => ({
    name,
    servers: Object.fromEntries(
      Array.from({ length: 4 }, (_, index) => [`one-${index}`, { image, command: idle, ready: [{ log: 'never' }] }]),
    ),
  })

  test('before the call starts nothing', async () => {
    const reason = new Error('enough')
    await expect(startFleet(file(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  // While containers are made, started, waited for; nobody knows the id of one that is being made.
  for (const afterMs of [0, 15, 30, 60, 120, 250, 1000]) {
    const tier = afterMs === 60 ? {} : wide
    test(`${afterMs} ms after the first server was begun leaves nothing behind`, tier, async () => {
      const abort = new AbortController()
      const reason = new Error('enough')
      const starting = startFleet(file(), {
        signal: abort.signal,
        onEvent: (event) => {
          if (event.kind === 'server.starting') setTimeout(() => abort.abort(reason), afterMs)
        },
      })
      await expect(starting).rejects.toBe(reason)
      expect(await countLeftovers(name)).toBe(0)
    })
  }

  test('after the call has ended changes nothing', wide, async () => {
    const abort = new AbortController()
    await using fleet = await startFleet(fleetFile, { servers: ['db'], signal: abort.signal })
    abort.abort()
    expect(await fleet.server('db').exec(['echo', 'still here'])).toMatchObject({ stdout: 'still here\n' })
  })
})

test('the output of commands and logs can be read as it arrives', wide, async () => {
  const command = ['sh', '-c', 'echo GET; exec sleep 600']
  await using fleet = await startFleet({ servers: { web: { image: 'debian:bookworm-slim', command } } })
  const web = fleet.server('web')
  expect(await readTexts(web.logs({ since: new Date(Date.now() + 60_000) }))).toEqual([])
  for await (const { text } of web.logs({ follow: true, tail: 1 })) if (text.includes('GET')) break
  await using cat = await web.spawn(['sh', '-c', 'echo error >&2; cat; exit 3'])
  await cat.write('größe')
  cat.end()
  expect((await readTexts(cat.output)).sort()).toEqual(['error\n', 'größe'])
  expect(await cat.exitCode).toBe(3)
  const endless = await web.spawn(['sh', '-c', 'while :; do echo 31415.7; sleep 0.1; done'])
  for await (const { text } of endless.output) if (text.includes('31415')) break
  const look = await web.exec(['sh', '-c', 'grep -l "31415[.]7" /proc/[0-9]*/cmdline'])
  expect(look.stdout).toBe('')
})
