import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { countLeftovers, removeFleetFolders, SOON_MS } from '../support/command.ts'
import { httpServer, tcpServer, udpServer } from '../support/perl-servers.ts'
import { makeFleet, type Servers, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'

const image = 'debian:bookworm-slim'
const idle = ['sleep', '600']
const opened: { fleet: StoryFleet; sessions: string[] }[] = []

async function open(servers: Servers, sessions: string[] = [], rest = {}): Promise<StoryFleet> {
  const fleet = await makeFleet(servers, {}, rest)
  opened.push({ fleet, sessions: sessions.map((end) => `${fleet.name}-${end}`) })
  return fleet
}

afterEach(async () => {
  for (const { fleet, sessions } of opened.splice(0)) {
    await fleet.cleanUp(...sessions)
    for (const session of [fleet.name, ...sessions]) expect(await countLeftovers(session)).toBe(0)
  }
})

afterAll(removeFleetFolders)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('it listens at a port')
  return address.port
}

function endpointOf(report: SessionReport, server: string, port: string): { host: string; port: number } {
  const endpoint = report.servers[server]?.endpoints[port]
  if (endpoint === undefined) throw new Error(`${server} has no ${port}`)
  return endpoint
}

const read = async ({ host, port }: { host: string; port: number }) => (await fetch(`http://${host}:${port}/`)).text()

describe('names', () => {
  test('lead from each server to every other: bare, with the domain, and by alias', async () => {
    const fleet = await open(
      {
        web: { image, command: httpServer(80, 'web'), aliases: ['web', 'www.shop.example', 'cdn', 'my_db', 'MyDB'] },
        db: { image, command: idle, extraHosts: { 'pay.example': '192.0.2.7', gateway: 'host-gateway' } },
      },
      [],
      { domain: 'shop.example' },
    )
    const { servers } = await fleet.json(['up'])
    const lookUp = async (server: string, ...names: string[]) =>
      (await fleet.exec(server, 'getent', 'ahostsv4', ...names)).split(/\s/)[0]
    const names = [
      'web',
      'web.shop.example',
      'www.shop.example',
      'cdn',
      'cdn.shop.example',
      'my_db',
      'my_db.shop.example',
    ]
    names.push('MyDB', 'mydb', 'MyDB.shop.example')
    for (const name of names) expect([name, await lookUp('db', name)]).toEqual([name, servers.web?.ip])
    expect(await lookUp('web', 'db.shop.example')).toBe(servers.db?.ip)
    expect(await lookUp('web', 'db')).toBe(servers.db?.ip)
    expect(await lookUp('db', 'pay.example')).toBe('192.0.2.7')
    expect(await lookUp('db', 'gateway')).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    expect(await fleet.call(['exec', 'web', '--', 'getent', 'hosts', 'pay.example'])).toMatchObject({ exitCode: 2 })
    for (const name of ['web', 'db']) {
      expect(await fleet.exec(name, 'hostname')).toBe(`${name}.shop.example\n`)
    }
    const get =
      'use IO::Socket::INET; my $s = IO::Socket::INET->new("www.shop.example:80"); print $s "GET / HTTP/1.0\\r\\n\\r\\n"; print <$s>'
    expect(await fleet.exec('db', 'perl', '-e', get)).toMatch(/^HTTP\/1.1 200 OK\r\n.*web$/s)
  })
})

describe('a session', () => {
  test('runs next to another session of the same fleet, independent of it', wide, async () => {
    const servers: Servers = {
      web: { image, command: httpServer(8080), ports: [8080], ready: [{ http: { port: 8080 } }] },
      client: { image, command: idle, mounts: [{ volume: 'data', to: '/data', writable: true }] },
    }
    const fleet = await open(servers, ['a', 'b'])
    const [a, b] = [`${fleet.name}-a`, `${fleet.name}-b`]
    const [first, second] = await Promise.all([fleet.json(['up', '--session', a]), fleet.json(['up', '--session', b])])
    expect([first.session, second.session, first.fleet, second.fleet]).toEqual([a, b, fleet.name, fleet.name])
    const endpoints = [first, second].map((report) => endpointOf(report, 'web', '8080/tcp'))
    expect(endpoints[0]?.port).not.toBe(endpoints[1]?.port)
    expect(await Promise.all(endpoints.map(read))).toEqual(['hello', 'hello'])
    for (const report of [first, second]) {
      const session = ['--session', report.session]
      const found = await fleet.done(['exec', 'client', ...session, '--', 'getent', 'ahostsv4', 'web'])
      expect(found.stdout.split(/\s/)[0]).toBe(report.servers.web?.ip)
      await fleet.done(['exec', 'client', ...session, '--', 'sh', '-c', `echo ${report.session} >> /data/who`])
      expect((await fleet.done(['exec', 'client', ...session, '--', 'cat', '/data/who'])).stdout).toBe(
        `${report.session}\n`,
      )
    }
    expect(await fleet.call(['ps'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(fleet.name) })
    await fleet.done(['down', '--session', a])
    expect(await countLeftovers(a)).toBe(0)
    expect(await fleet.json(['ps', '--session', b])).toEqual(second)
  })

  test('never uses a session of another fleet', wide, async () => {
    const [mine, other] = [await open({ one: { image, command: idle } }), await open({ two: { image, command: idle } })]
    const report = await mine.json(['up'])
    for (const word of ['plan', 'up']) {
      expect(await other.call([word, '--session', mine.name])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(`the session ${mine.name} belongs to the fleet ${mine.name}`),
      })
    }
    expect(await mine.json(['ps'])).toEqual(report)
  })

  for (const session of ['../x', 'A', '-a', 'a b', '', 'x'.repeat(49)])
    test(`cannot have the name ${JSON.stringify(session)}`, wideIf(!['../x', ''].includes(session)), async () => {
      const fleet = await open({ one: { image, command: idle } })
      expect(await fleet.call(['up', '--session', session])).toMatchObject({ exitCode: 2, stdout: '' })
    })
})

describe('a port', () => {
  test('has the number and address of the fleet file, or the same number with --bind fixed', async () => {
    const [wanted, same] = [await freePort(), await freePort()]
    const fleet = await open({
      web: { image, command: httpServer(8080, 'web'), ports: [{ container: 8080, host: wanted }] },
      far: { image, command: httpServer(8080, 'far'), ports: [{ container: 8080, address: '127.0.0.2' }] },
      same: { image, command: httpServer(same, 'same'), ports: [same] },
    })
    const free = await fleet.json(['up'])
    expect(endpointOf(free, 'web', '8080/tcp')).toEqual({ host: '127.0.0.1', port: wanted })
    expect(await read({ host: '127.0.0.1', port: wanted })).toBe('web')
    const far = endpointOf(free, 'far', '8080/tcp')
    expect(far.host).toBe('127.0.0.2')
    expect(await read(far)).toBe('far')
    await expect(read({ ...far, host: '127.0.0.1' })).rejects.toThrow()
    expect(endpointOf(free, 'same', `${same}/tcp`).port).not.toBe(same)
    await fleet.done(['rm', 'web', 'far'])
    const fixed = await fleet.json(['up', '--bind', 'fixed', 'same'])
    expect(endpointOf(fixed, 'same', `${same}/tcp`)).toEqual({ host: '127.0.0.1', port: same })
    expect(await read({ host: '127.0.0.1', port: same })).toBe('same')
    expect(await fleet.call(['up', '--bind', 'wrong'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('free or fixed'),
    })
  })

  test('can be UDP, TCP, or both', async () => {
    const script = (...parts: string[][]) => [
      'sh',
      '-c',
      `${parts.map((_, i) => `perl -e "$CODE${i}" 53 tcp &`).join('\n')} wait`,
    ]
    const [tcp, udp] = [tcpServer(53, 'tcp'), udpServer(53)]
    const fleet = await open({
      names: {
        image,
        command: script(tcp, udp),
        environment: { CODE0: tcp[2] ?? '', CODE1: udp[2] ?? '' },
        ports: ['53/udp', 53],
        ready: [{ tcp: { port: 53, expect: '\n' } }, { exec: ['sh', '-c', 'grep -qi :0035 /proc/net/udp'] }],
      },
    })
    const report = await fleet.json(['up'])
    const { host, port } = endpointOf(report, 'names', '53/udp')
    expect(endpointOf(report, 'names', '53/tcp').host).toBe('127.0.0.1')
    expect(await ask(host, port, 'hello')).toBe('HELLO')
    const { stdout } = await fleet.done(['endpoints', '--format', 'env'])
    expect(stdout).toMatch(new RegExp(`^TESTFLEET_NAMES_PORT=${port}$`, 'm'))
  })
})

/** One datagram there, and one back. */
function ask(host: string, port: number, text: string): Promise<string> {
  const socket = createSocket('udp4')
  return new Promise<string>((resolve, reject) => {
    const clock = setTimeout(() => reject(new Error(`no answer from ${host}:${port}`)), SOON_MS)
    socket.once('error', reject).once('message', (message) => {
      clearTimeout(clock)
      resolve(message.toString())
    })
    socket.send(text, port, host)
  }).finally(() => socket.close())
}
