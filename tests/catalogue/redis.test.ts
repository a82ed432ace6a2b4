import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'redis' },
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

test('works with no option at all, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect(await cli('plain', 'default', password, 'set', 'a', '1')).toMatchObject({ stdout: 'OK\n', exitCode: 0 })
  const { TESTFLEET_PLAIN_REDIS_URL: url = '' } = session.variables
  expect((await session.fromHost('redis-cli', '--no-auth-warning', '-u', url, 'get', 'a')).stdout).toBe('1\n')
})

test("speaks TLS to who trusts the fleet's authority, and not where it was not asked for", async () => {
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

test('takes the password of each user, and no other', async () => {
  const alice = await session.secret('seeded', 'user.alice')
  expect((await cli('seeded', 'alice', alice, 'ping')).stdout).toBe('PONG\n')
  expect((await cli('seeded', 'alice', 'wrong', 'ping')).stdout).toMatch(/^NOAUTH/)
  expect((await session.client('redis-cli', '-h', 'seeded', 'ping')).stdout).toMatch(/^NOAUTH/)
})

test('has as many databases as it was asked for', async () => {
  const password = await session.secret('seeded', 'PASSWORD')
  expect((await cli('seeded', 'default', password, '-n', '1', 'dbsize')).stdout).toBe('0\n')
  expect((await cli('seeded', 'default', password, 'select', '2')).stdout).toMatch(/^ERR DB index is out of range/)
})

test('is not ready while it does not answer', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('redis :6379: does not answer')
})
