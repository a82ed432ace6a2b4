import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'redis' },
      seeded: { preset: 'redis', options: { seed: 'seed.redis', users: { alice: { generate: 24 } }, databases: 2 } },
    },
    { 'seed.redis': 'set greeting "hello world"\nrpush list 1 2 3\n' },
    ['redis-tools'],
  )
})

afterAll(() => session.end())

const cli = (server: string, user: string, password: string, ...words: string[]) =>
  session.client('redis-cli', '-h', server, '--no-auth-warning', '--user', user, '--pass', password, ...words)

test('works with no option at all, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect(await cli('plain', 'default', password, 'set', 'a', '1')).toMatchObject({ stdout: 'OK\n', exitCode: 0 })
  const [, fromHost = ''] = /redis:\/\/[^@]*@([^/]+)\//.exec(session.variables.REDIS_URL ?? '') ?? []
  expect(fromHost).toMatch(/^127\.0\.0\.1:\d+$/)
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
