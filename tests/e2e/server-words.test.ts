import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type Servers, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'

/** Names of variables that no shell can set. */
const names = { 'discovery.type': 'single-node', 'app-mode': 'test', 'a[0].b': 'x', 'two words': '$y "z"', '"$q': '\\' }

const servers: Servers = {
  named: { image, command: ['sleep', '600'], environment: names },
  built: {
    build: { environment: names, run: ['tr "\\0" "\\n" < /proc/self/environ > /seen'] },
    command: ['sleep', '600'],
  },
}

/** Answers a datagram with itself, and a connection with a word. */
const both = `use IO::Socket::INET; my $u = IO::Socket::INET->new(Proto => 'udp', LocalPort => 53);
if (fork) { while ($u->recv(my $x, 512)) { $u->send($x) } }
my $t = IO::Socket::INET->new(Listen => 5, LocalPort => 53, ReuseAddr => 1);
while (my $c = $t->accept) { print $c "tcp"; close $c }`

Object.assign(servers, {
  dns: {
    image,
    command: ['perl', '-e', both],
    ports: [53, '53/udp'],
    export: { DNS_PORT: '${port.53}', DNS_UDP_PORT: '${port.53/udp}' },
  },
  ranged: {
    image,
    command: httpServer(30_002, 'in range'),
    ports: [
      { container: '30000-30002', address: '127.0.0.1' },
      { container: '30000-30002', address: '::1' },
    ],
    ready: [{ http: { port: 30_002 } }],
  },
})

let fleet: StoryFleet
let report: SessionReport

beforeAll(async () => {
  fleet = await makeFleet(servers)
  report = await fleet.json(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

async function inside(server: string, ...command: string[]): Promise<string> {
  return (await fleet.done(['exec', server, '--', ...command])).stdout
}

describe('a server has', () => {
  test('variables of any name, of its own and of its image', async () => {
    const lines = Object.entries(names).map(([name, value]) => `${name}=${value}`)
    expect(report.servers.named?.state).toBe('ready')
    for (const server of ['named', 'built'])
      expect((await inside(server, 'env')).split('\n')).toEqual(expect.arrayContaining(lines))
  })

  test('one number of this machine for a port of TCP and UDP, and a variable for each', async () => {
    const endpoints = report.servers.dns?.endpoints ?? {}
    const port = String(endpoints['53/tcp']?.port)
    expect(endpoints['53/udp']).toEqual(endpoints['53/tcp'])
    expect(await fleet.json<Record<string, string>>(['endpoints'])).toBeDefined()
    const { stdout } = await fleet.done(['endpoints', '--format', 'env'])
    for (const name of [
      'TESTFLEET_DNS_PORT_53',
      'TESTFLEET_DNS_PORT_53_UDP',
      'TESTFLEET_DNS_PORT_53_TCP',
      'DNS_PORT',
      'DNS_UDP_PORT',
    ])
      expect(stdout.split('\n')).toContain(`${name}=${port}`)
  })

  test('every port of a range, at both addresses of this machine under one number', async () => {
    const endpoints = report.servers.ranged?.endpoints ?? {}
    expect(Object.keys(endpoints)).toEqual(['30000/tcp', '30001/tcp', '30002/tcp'])
    const { host, port } = endpoints['30002/tcp'] ?? { host: '', port: 0 }
    expect(host).toBe('127.0.0.1')
    for (const address of [host, '[::1]'])
      expect(await (await fetch(`http://${address}:${port}/`)).text()).toBe('in range')
  })
})
