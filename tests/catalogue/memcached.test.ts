import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    plain: { preset: 'memcached' },
    guarded: {
      preset: 'memcached',
      options: { users: { alice: { generate: 24 }, bob: { generate: 24 } }, maxItemSize: '2m', memory: 8 },
    },
    tools: { build: { packages: ['libmemcached-tools'] }, command: ['sleep', '3600'], limits: { memory: '64m' } },
  })
})

afterAll(() => session.end())

const tool = (...words: string[]): Promise<CommandResult> => session.fleet.call(['exec', 'tools', '--', ...words])
const say = (server: string, ...lines: string[]): Promise<CommandResult> =>
  session.clientWith([...lines, 'quit', ''].join('\r\n'), 'nc', '-N', server, '11211')
const logIn = (user: string, password: string): string[] => {
  const login = `${user} ${password}`
  return [`set login 0 0 ${login.length}`, login]
}

test('works without options, from the network and from the host', async () => {
  const stored = await tool('sh', '-c', 'printf hello > /tmp/greeting && memccp --servers=plain /tmp/greeting')
  expect(stored).toMatchObject({ exitCode: 0 })
  expect((await tool('memccat', '--servers=plain', 'greeting')).stdout).toBe('hello\n')
  const { MEMCACHED_SERVERS = '' } = session.variables
  expect(MEMCACHED_SERVERS).toMatch(/^127\.0\.0\.1:\d+$/)
  const ask = `exec 3<>/dev/tcp/\${MEMCACHED_SERVERS/://}; printf 'version\\r\\nquit\\r\\n' >&3; cat <&3`
  expect((await session.host('bash', '-c', ask)).stdout).toMatch(/^VERSION 1\.\d/)
})

test('accepts the login of each user, and no other', async () => {
  const [alice, bob] = await Promise.all([
    session.secret('guarded', 'user.alice'),
    session.secret('guarded', 'user.bob'),
  ])
  const use = ['set key 0 0 5', 'value', 'get key']
  const used = 'STORED\r\nSTORED\r\nVALUE key 0 5\r\nvalue\r\nEND\r\n'
  expect((await say('guarded', ...logIn('alice', alice), ...use)).stdout).toBe(used)
  expect((await say('guarded', ...logIn('bob', bob), ...use)).stdout).toBe(used)
  for (const login of [logIn('alice', bob), logIn('alice', 'wrong'), logIn('carol', alice)])
    expect((await say('guarded', ...login)).stdout).toMatch(/^CLIENT_ERROR (?:authentication failure|unauthenticated)/)
  expect((await say('guarded', 'get key')).stdout).toMatch(/^CLIENT_ERROR unauthenticated/)
})

test('has the limits of its options', async () => {
  const alice = await session.secret('guarded', 'user.alice')
  const large = ['set large 0 0 1500000', 'x'.repeat(1_500_000)]
  expect((await say('guarded', ...logIn('alice', alice), ...large)).stdout).toBe('STORED\r\nSTORED\r\n')
  expect((await say('plain', ...large)).stdout).toContain('SERVER_ERROR object too large for cache')
  expect((await say('guarded', ...logIn('alice', alice), 'stats')).stdout).toContain(
    `STAT limit_maxbytes ${8 << 20}\r\n`,
  )
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('memcached :11211: does not answer')
})
