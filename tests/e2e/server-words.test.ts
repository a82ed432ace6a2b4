import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { httpServer } from '../support/perl-servers.ts'
import {
  containersOf,
  inspect,
  makeFleet,
  type Servers,
  type SessionReport,
  type StoryFleet,
} from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

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

/** Counts its runs in a file, which stays as long as its container does. */
const countRun = 'run=$(cat /run/count 2>/dev/null || echo 1); echo $((run + 1)) > /run/count'

Object.assign(servers, {
  container: {
    image,
    command: ['sh', '-c', 'tty; exec sleep 600'],
    hostname: 'node1.inner.test',
    dns: ['127.0.0.1'],
    tty: true,
    devices: ['/dev/null:/dev/nothing:rw', '/dev/zero:r'],
    tmpfs: [{ to: '/programs', exec: true, size: '1m', mode: '0755' }, '/data'],
    ready: [{ log: '/dev/pts/0' }],
  },
  // Ready on its third run.
  third: {
    image,
    command: ['sh', '-c', `${countRun}; [ "$run" -ge 3 ] || exit 3; echo "run $run"; exec sleep 600`],
    restart: 'on-failure:3',
    ready: [{ log: 'run' }],
  },
  // Ready, then not, then ready again.
  again: {
    image,
    command: [
      'sh',
      '-c',
      `${countRun}; [ "$run" = 1 ] || sleep 2; echo ready; [ "$run" != 1 ] || exit 3; exec sleep 600`,
    ],
    restart: 'on-failure',
    ready: [{ log: 'ready' }],
  },
  job: {
    image,
    command: ['sh', '-c', `${countRun}; exit $((2 - run))`],
    restart: 'on-failure',
    ready: [{ exit: 0 }],
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
  return fleet.exec(server, ...command)
}

describe('a server has', () => {
  test('environment variables with any name, from the fleet file and from its image', async () => {
    const lines = Object.entries(names).map(([name, value]) => `${name}=${value}`)
    expect(report.servers.named?.state).toBe('ready')
    for (const server of ['named', 'built'])
      expect((await inside(server, 'env')).split('\n')).toEqual(expect.arrayContaining(lines))
  })

  test('the same number for a port of TCP and UDP on this machine, and a variable for each', async () => {
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

  test('every port of a range, published on both loopback addresses with the same number', async () => {
    const endpoints = report.servers.ranged?.endpoints ?? {}
    expect(Object.keys(endpoints)).toEqual(['30000/tcp', '30001/tcp', '30002/tcp'])
    const { host, port } = endpoints['30002/tcp'] ?? { host: '', port: 0 }
    expect(host).toBe('127.0.0.1')
    for (const address of [host, '[::1]'])
      expect(await (await fetch(`http://${address}:${port}/`)).text()).toBe('in range')
  })

  test('its own host name, name servers, devices, a terminal, and executables in a tmpfs', async () => {
    expect(await inside('container', 'hostname')).toBe('node1.inner.test\n')
    expect(await inside('container', 'getent', 'ahostsv4', `named.${fleet.name}.test`)).toContain(
      `named.${fleet.name}.test`,
    )
    const { HostConfig } = await inspect(containersOf(report).container ?? '')
    expect(HostConfig).toMatchObject({ Dns: ['127.0.0.1'] })
    expect(await inside('container', 'sh', '-c', 'echo x > /dev/nothing && head -c 2 /dev/zero | wc -c')).toBe('2\n')
    const program = 'printf "#!/bin/sh\\necho it runs" > $0/x; chmod +x $0/x; $0/x || echo "it does not"'
    expect(await inside('container', 'sh', '-c', program, '/programs')).toBe('it runs\n')
    expect(await inside('container', 'sh', '-c', program, '/data')).toBe('it does not\n')
    expect((await fleet.done(['logs', 'container'])).stdout).toBe('container | /dev/pts/0\n')
  })

  test('restarts until it is ready or completed, and is ready only then', async () => {
    const states = Object.entries(report.servers).map(([name, { state }]) => [name, state])
    expect(Object.fromEntries(states)).toMatchObject({ third: 'ready', again: 'ready', job: 'completed' })
    expect((await fleet.done(['logs', 'third'])).stdout).toBe('third | run 3\n')
    expect((await fleet.done(['logs', 'again'])).stdout).toBe('again | ready\nagain | ready\n')
    expect(await inside('again', 'cat', '/run/count')).toBe('3\n')
  })
})

test('up fails when a server with `restart` ends with an error on every run', async () => {
  const failing = await makeFleet({
    bad: {
      image,
      command: ['sh', '-c', 'echo last words; exit 3'],
      restart: 'on-failure:2',
      ready: [{ log: 'never' }],
    },
  })
  const { exitCode, stderr } = await failing.call(['up'])
  expect(stderr).toContain('bad ended with exit code 3 before it was ready, and was started again 2 times before')
  expect(stderr).toContain('last words')
  expect(exitCode).toBe(1)
})

test('a device that the machine lacks is reported with its line in the fleet file', wide, async () => {
  const failing = await makeFleet({ bad: { image, command: ['sleep', '600'], devices: ['/dev/null', '/dev/none'] } })
  const { exitCode, stderr } = await failing.call(['up'])
  expect(stderr).toMatch(/machine has no device \/dev\/none/)
  expect(stderr).toMatch(/asked for at testfleet\.json:\d+:\d+/)
  // Where this machine can be looked at, nothing is touched.
  expect([1, 2]).toContain(exitCode)
})
