import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openReset } from '../../src/lease/reset.ts'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import { withTarget } from '../support/lease-target.ts'
import { proveReset, resetServer, talk } from '../support/prove-reset.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      redis: { preset: 'redis', options: { users: { alice: { value: 'alices' } }, seed: 'seed.redis' } },
      memcached: { preset: 'memcached' },
      nats: { preset: 'nats', options: { login: false, jetstream: true } },
      mosquitto: { preset: 'mosquitto', options: { login: false, persist: true } },
      openldap: { preset: 'openldap' },
      vsftpd: { preset: 'vsftpd', options: { anonymous: true, home: 'home' } },
    },
    { 'seed.redis': 'set greeting "hello world"\nselect 3\nrpush list 1 2 3\n', 'home/first.txt': 'first\n' },
    ['curl'],
  )
})

afterAll(() => session.end())

describe('a reset of redis', () => {
  const lines = async (...commands: string[]): Promise<string> =>
    (await session.fleet.call(['exec', '-i', 'redis', '--', 'redis-cli'], { input: `${commands.join('\n')}\n` })).stdout
  const look = () =>
    lines(
      ...[
        'dbsize',
        'get greeting',
        'acl list',
        'config get *',
        'script exists e0e1f9fabfc9d4800c877a703b823ac0578ff8db',
      ],
      ...['function list', 'acl log', 'info replication', 'select 3', 'lrange list 0 -1', 'dbsize'],
      ...['select 5', 'dbsize', 'info clients', 'lastsave'],
    )
  /** Its own id, which is another one once it was a replica, and what time does to it. */
  const steady = (text: string): string =>
    text.replaceAll(
      /^(?:master_replid2?|second_repl_offset|client_recent.*|\d{10}|master_repl_offset|repl_.*):?.*\r?$/gm,
      '',
    )

  test('undoes all that a client can change, and closes the connections of others', async () => {
    await resetServer(session, 'redis')
    const before = steady(await look())
    expect(before).toContain('hello world')
    const sleeper = talk(session, 'redis', '6379/tcp', 'AUTH alice alices\r\nSUBSCRIBE news\r\n', 'nothing')
    const said = await lines(
      ...['save', 'set greeting bye', 'set a 1', 'select 5', 'set b 2 ex 1000', 'select 3', 'del list'],
      ...[
        'script load "return 1"',
        'function load "#!lua name=l\\nredis.register_function(\'f\', function() return 1 end)"',
      ],
      ...['config set maxmemory-policy allkeys-lru', 'config set slowlog-log-slower-than 0', 'config set save "1 1"'],
      ...[
        'config set appendonly yes',
        'config set notify-keyspace-events KEA',
        'config set timeout 7',
        'config set requirepass other',
      ],
      ...['acl setuser eve on nopass ~* &* +@all', 'acl setuser alice resetkeys', 'acl save', 'client pause 1'],
      ...['replicaof 127.0.0.1 1'],
    )
    expect(said).not.toMatch(/^(?:ERR|WRONG)/m)
    await resetServer(session, 'redis')
    expect(steady(await look())).toBe(before)
    // A busy machine makes commands of the reset slow, too.
    expect(await lines('slowlog get 128')).not.toContain('KEA')
    expect((await session.fleet.call(['exec', 'redis', '--', 'ls', '/data'])).stdout).toBe('dump.rdb\nseeded\n')
    expect(await sleeper).toContain('news')
  })

  test('ends a script that holds up the server', async () => {
    const hung = lines('eval "while true do end" 0')
    await expect.poll(() => lines('ping'), { timeout: 60_000 }).toMatch(/BUSY/)
    await resetServer(session, 'redis')
    await hung
    expect(await lines('get greeting')).toBe('"hello world"\n'.replaceAll('"', ''))
  })

  test('is complete whatever an earlier one has left alone, and takes milliseconds', async () => {
    await withTarget(session.report.servers.redis?.container ?? '', async (target, tools) => {
      const reset = openReset(target, tools)
      await reset.run()
      const before = steady(await look())
      const changes = [
        ['client kill type normal skipme no'],
        ['config set maxmemory-policy allkeys-lru', 'set greeting bye'],
        ['acl setuser eve on nopass ~* &* +@all'],
        ['acl setuser alice resetkeys', 'acl save'],
      ]
      for (const change of changes) {
        await lines(...change)
        await reset.run()
        expect(steady(await look())).toBe(before)
      }
      const times: number[] = []
      for (let round = 0; round < 20; round++) {
        const startedAt = performance.now()
        await reset.run()
        times.push(performance.now() - startedAt)
      }
      await reset.close()
      expect(times.sort((a, b) => a - b)[5]).toBeLessThan(1000)
    })
  })

  test('fails where a client has changed the passwords of all users', async () => {
    await lines('acl setuser alice resetpass >a', 'acl setuser default resetpass >b')
    await expect(resetServer(session, 'redis')).rejects.toMatchObject({
      code: 'RESET_FAILED',
      output: ['failed: no user can log in: a client has changed their passwords'],
    })
  })
})

test('a reset of memcached leaves no value, no setting and no connection', async () => {
  const send = (text: string, end: string) => talk(session, 'memcached', '11211/tcp', text, end)
  expect(await send('set a 0 0 1\r\n1\r\nverbosity 3\r\ncache_memlimit 32\r\nget a\r\n', 'END')).toContain('VALUE a')
  await proveReset(session, 'memcached')
  expect(await send('get a\r\nstats settings\r\n', 'idle_timeout')).toMatch(/^END\r\n[\s\S]*STAT verbosity 0\r\n/)
})

test('a reset of nats leaves no stream', async () => {
  const names = 'SUB x 1\r\nPUB $JS.API.STREAM.NAMES x 0\r\n\r\n'
  const create = '{"name":"S","subjects":["s.>"],"storage":"file"}'
  const hello = 'CONNECT {"verbose":false}\r\n'
  const made = `${hello}SUB x 1\r\nPUB $JS.API.STREAM.CREATE.S x ${create.length}\r\n${create}\r\n`
  expect(await talk(session, 'nats', '4222/tcp', made, '"did_create":true')).toContain('"name":"S"')
  await proveReset(session, 'nats')
  expect(await talk(session, 'nats', '4222/tcp', hello + names, '"total"')).toContain('"total":0')
})

test('a reset of mosquitto leaves no retained message', async () => {
  const connect = '\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04'
  const subscribe = '\x82\x06\x00\x01\x00\x01#\x00'
  const listen = (id: string) => `${connect}${id}${subscribe}\xc0\x00`
  // A QoS 0 message to the topic `t`, retained.
  await talk(session, 'mosquitto', '1883/tcp', `${connect}aaaa\x31\x08\x00\x01tkept!\xc0\x00`, '\xd0\x00')
  expect(await talk(session, 'mosquitto', '1883/tcp', listen('bbbb'), 'kept')).toContain('tkept')
  await proveReset(session, 'mosquitto')
  expect(await talk(session, 'mosquitto', '1883/tcp', listen('cccc'), '\xd0\x00')).not.toContain('kept')
})

test('a reset of openldap, which has become its server after its seed, leaves no entry', async () => {
  const bind = async () => [
    '-x',
    '-D',
    'cn=admin,dc=example,dc=test',
    '-w',
    await session.secret('openldap', 'PASSWORD'),
  ]
  const ldap = async (program: string, ...words: string[]) =>
    (await session.fleet.call(['exec', '-i', 'openldap', '--', program, ...(await bind()), ...words], { input: entry }))
      .stdout
  const entry = 'dn: ou=mark,dc=example,dc=test\nobjectClass: organizationalUnit\nou: mark\n'
  await ldap('ldapadd')
  expect(await ldap('ldapsearch', '-LLL', 'dn')).toContain('ou=mark')
  await proveReset(session, 'openldap')
  expect(await ldap('ldapsearch', '-LLL', 'dn')).toMatch(/^(?!.*ou=mark).*ou=people/s)
})

test('a reset of vsftpd leaves only the first files of each of its users', async () => {
  const login = `test:${await session.secret('vsftpd', 'PASSWORD')}`
  const curl = async (...words: string[]) => (await session.client('curl', '--silent', '--show-error', ...words)).stdout
  const list = async () => [
    await curl('--user', login, '--list-only', 'ftp://vsftpd/'),
    await curl('--list-only', 'ftp://vsftpd/upload/'),
  ]
  const places = ['ftp://vsftpd/deep/er/mark', 'ftp://vsftpd/first.txt'].map((url) => ['--user', login, url])
  for (const place of [...places, ['ftp://vsftpd/upload/mark']])
    expect(await curl('--ftp-create-dirs', '--upload-file', '/etc/hostname', ...place)).toBe('')
  expect((await list()).map((names) => names.split('\n').sort())).toEqual([
    ['', 'deep', 'first.txt'],
    ['', 'mark'],
  ])
  await proveReset(session, 'vsftpd')
  expect(await list()).toEqual(['first.txt\n', ''])
  expect(await curl('--user', login, 'ftp://vsftpd/first.txt')).toBe('first\n')
})

test('a server that was started from a snapshot is reset by its image, not by its recipe', async () => {
  const names = () => session.fleet.call(['exec', 'nats', '--', 'ls', '/data'])
  await session.fleet.done(['exec', 'nats', '--', 'touch', '/data/kept'])
  await session.fleet.done(['snapshot', 'nats', 'one'])
  expect((await names()).stdout).toContain('kept')
  await session.fleet.done(['reset', 'nats'])
  expect((await names()).stdout).not.toContain('kept')
})
