import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import { wide } from '../support/tiers.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'redis' },
      cluster: { preset: 'redis', options: { cluster: true, seed: 'seed.redis' } },
      open: { preset: 'redis', options: { login: false }, limits: { memory: '96m' } },
      seeded: {
        preset: 'redis',
        options: { seed: 'seed.redis', users: { alice: { generate: 24 } }, databases: 2, tls: true },
      },
    },
    { 'seed.redis': 'set greeting "hello world"\nrpush list 1 2 3\n' },
    ['ca-certificates', 'redis-tools'],
  )
})

afterAll(() => session.end())

const cli = (server: string, user: string, password: string, ...words: string[]) =>
  session.client('redis-cli', '-h', server, '--no-auth-warning', '--user', user, '--pass', password, ...words)

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect(await cli('plain', 'default', password, 'set', 'a', '1')).toMatchObject({ stdout: 'OK\n', exitCode: 0 })
  const { TESTFLEET_PLAIN_REDIS_URL: url = '' } = session.variables
  expect((await session.fromHost('redis-cli', '--no-auth-warning', '-u', url, 'get', 'a')).stdout).toBe('1\n')
})

test("speaks TLS to clients that trust the fleet's authority, only with its option", async () => {
  const url = (server: string) => `rediss://default:${password}@${session.report.servers[server]?.hostname}:6380/0`
  const password = await session.secret('seeded', 'PASSWORD')
  const ping = (server: string, roots: string) =>
    session.client('redis-cli', '--no-auth-warning', '-u', url(server), '--cacert', roots, 'ping')
  expect((await ping('seeded', '/etc/ssl/certs/ca-certificates.crt')).stdout).toBe('PONG\n')
  expect((await ping('seeded', '/etc/ssl/certs/ISRG_Root_X1.pem')).stderr).toContain('certificate verify failed')
  expect((await ping('plain', '/etc/ssl/certs/ca-certificates.crt')).stderr).toContain('Connection refused')
})

test('starts with its seed', async () => {
  const password = await session.secret('seeded', 'PASSWORD')
  expect((await cli('seeded', 'default', password, 'get', 'greeting')).stdout).toBe('hello world\n')
  expect((await cli('seeded', 'default', password, 'lrange', 'list', '0', '-1')).stdout).toBe('1\n2\n3\n')
})

test('accepts the password of each user, and no other', async () => {
  const alice = await session.secret('seeded', 'user.alice')
  expect((await cli('seeded', 'alice', alice, 'ping')).stdout).toBe('PONG\n')
  expect((await cli('seeded', 'alice', 'wrong', 'ping')).stdout).toMatch(/^NOAUTH/)
  expect((await session.client('redis-cli', '-h', 'seeded', 'ping')).stdout).toMatch(/^NOAUTH/)
})

test('has the number of databases of its option', async () => {
  const password = await session.secret('seeded', 'PASSWORD')
  expect((await cli('seeded', 'default', password, '-n', '1', 'dbsize')).stdout).toBe('0\n')
  expect((await cli('seeded', 'default', password, 'select', '2')).stdout).toMatch(/^ERR DB index is out of range/)
})

test('is a cluster of one node with its option, for clients on the network and on the host', async () => {
  const { TESTFLEET_CLUSTER_REDIS_URL: url = '' } = session.variables
  const password = await session.secret('cluster', 'PASSWORD')
  expect((await cli('cluster', 'default', password, '-c', 'set', 'a', '1')).stdout).toBe('OK\n')
  const fromHost = (...words: string[]) => session.fromHost('redis-cli', '--no-auth-warning', ...words)
  const [, address = '', port = ''] = (await fromHost('-u', url, 'cluster', 'nodes')).stdout.match(/ (.+):(\d+)@/) ?? []
  expect((await fromHost('-h', address, '-p', port, '--pass', password, '-c', 'get', 'a')).stdout).toBe('1\n')
  expect((await fromHost('-u', url, '-c', 'get', 'greeting')).stdout).toBe('hello world\n')
  expect((await fromHost('-u', url, 'cluster', 'info')).stdout).toContain('cluster_slots_ok:16384')
})

test('gives `exec` a login without a password', async () => {
  expect((await session.fleet.done(['exec', 'plain', '--', 'redis-cli', 'ping'])).stdout).toBe('PONG\n')
})

test('needs no password with `login: false`', async () => {
  const { TESTFLEET_OPEN_REDIS_URL: url = '' } = session.variables
  expect(url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+\/0$/)
  expect((await session.fromHost('redis-cli', '-u', url, 'ping')).stdout).toBe('PONG\n')
})

test('refuses writes before its memory limit is reached', wide, async () => {
  const fill =
    'v=$(head -c 500000 /dev/zero | tr "\\0" x); for i in $(seq 200); do echo "set k$i $v"; done | redis-cli -h open'
  const { stdout } = await session.client('sh', '-c', fill)
  expect(stdout).toMatch(/^OK\n/)
  expect(stdout).toMatch(/OOM command not allowed/)
  const large = await session.client('sh', '-c', 'head -c 20000000 /dev/zero | redis-cli -h open -x set large')
  expect(large.stdout + large.stderr).toMatch(/invalid bulk length|reset|closed/)
  expect((await session.client('redis-cli', '-h', 'open', 'ping')).stdout).toBe('PONG\n')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('redis :6379: does not answer')
})
