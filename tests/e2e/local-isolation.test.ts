import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandOptions, removeFleetFolders } from '../support/command.ts'
import { type LocalStore, makeLocalStore, whyNoLocalEngine } from '../support/local-store.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
const problem = await whyNoLocalEngine()

/** Numbers of kernel calls of x86-64, with values that each would succeed for root. */
const askKernel = `
my ($none, $at, $type) = ("none", "/mnt", "tmpfs");
print "keyctl ", syscall(250, 0, -3, 0), "\\n";
print "mount ", syscall(165, $none, $at, $type, 0, 0), "\\n";
print "unshare ", syscall(272, 0x10000000), "\\n";
print "sysctl ", (open(my $f, ">", "/proc/sys/kernel/hostname") ? "open" : "closed"), "\\n";
my @groups = grep { -e && open(my $g, ">>", $_) } glob("/sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs");
print "cgroup ", (@groups ? "open" : "closed"), "\\n";
print "memory ", (-s "/proc/kcore" || 0), "\\n";
`

const connect = `use IO::Socket::INET; use IO::Socket::UNIX; my ($to) = @ARGV;
my $s = $to =~ /:/ ? IO::Socket::INET->new(PeerAddr => $to, Timeout => 3) : IO::Socket::UNIX->new(Peer => "\\0$to");
print $s ? "connected" : "refused"`

/** What docs/security.md says of a server that runs whatever it wants. */
describe.skipIf(problem !== undefined || process.arch !== 'x64')('a hostile server of the local engine', () => {
  let store: LocalStore
  let own: StoryFleet
  let other: StoryFleet
  let local: CommandOptions
  let loopback: Server

  const inside = async (...command: string[]): Promise<string> =>
    (await own.done(['exec', 'hostile', '--', ...command], local)).stdout

  beforeAll(async () => {
    store = await makeLocalStore()
    local = { env: { TESTFLEET_ENGINE: store.url } }
    own = await makeFleet({ hostile: { image, command: ['sleep', 'infinity'], init: true } })
    other = await makeFleet({ web: { image, command: httpServer(80), ready: [{ http: { port: 80 } }] } })
    await Promise.all([own.done(['up'], local), other.done(['up'], local)])
    loopback = createServer((socket) => socket.end('secret')).listen(0, '127.0.0.1')
    await once(loopback, 'listening')
  })

  afterAll(async () => {
    loopback?.close()
    await store?.remove()
    await removeFleetFolders()
  })

  test('sees its own processes only', async () => {
    const [init = '', ...others] = (await inside('sh', '-c', 'echo /proc/[0-9]*')).split(' ')
    expect(init).toBe('/proc/1')
    expect(others.length).toBeLessThan(5)
  })

  test('reaches no server of another session', async () => {
    const { web } = (await other.json<SessionReport>(['ps'], local)).servers
    expect(await inside('perl', '-e', connect, `${web?.ip}:80`)).toBe('refused')
  })

  test("reaches nothing at the machine's loopback, neither by its gateway", async () => {
    const { port } = loopback.address() as { port: number }
    const { hostile } = (await own.json<SessionReport>(['ps'], local)).servers
    const gateway = hostile?.ip.replace(/\d+$/, '1')
    for (const host of ['127.0.0.1', gateway])
      expect(await inside('perl', '-e', connect, `${host}:${port}`)).toBe('refused')
  })

  test('reaches no abstract socket of the machine', async () => {
    const name = `testfleet-${own.name}`
    const script = `import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('\\0${name}'); s.listen(); print('there', flush=True); time.sleep(600)`
    const listener = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await once(listener.stdout, 'data')
      expect(await inside('perl', '-e', connect, name)).toBe('refused')
    } finally {
      listener.kill('SIGKILL')
    }
  })

  test('changes no settings of the kernel, mounts nothing, and reaches no keyring', async () => {
    const lines = (await inside('perl', '-e', askKernel)).trim().split('\n')
    expect(lines).toEqual(['keyctl -1', 'mount -1', 'unshare -1', 'sysctl closed', 'cgroup closed', 'memory 0'])
  })
})
