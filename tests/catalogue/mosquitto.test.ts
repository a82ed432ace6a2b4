import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'
import { wide } from '../support/tiers.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password: \\ of alice`

beforeAll(async () => {
  session = await startCatalogue(
    {
      guarded: {
        preset: 'mosquitto',
        options: {
          users: { alice: { file: 'alice.txt' } },
          acl: 'acl',
          anonymous: true,
          maxPacketSize: 100,
          tls: true,
        },
      },
      plain: { preset: 'mosquitto' },
      open: { preset: 'mosquitto', options: { login: false } },
    },
    { 'alice.txt': alicesPassword, acl: 'topic read news/#\nuser alice\ntopic readwrite news/#\n' },
  )
})

afterAll(() => session.end())

interface Place {
  readonly server: string
  readonly login?: readonly [user: string, password: string]
  readonly more?: readonly string[]
}

function words({ server, login, more = [] }: Place): string[] {
  return ['-h', server, ...(login === undefined ? [] : ['-u', login[0], '-P', login[1]]), ...more]
}

const publish = (place: Place, topic: string, message: string): Promise<CommandResult> =>
  session.client('mosquitto_pub', ...words(place), '-q', '1', '-V', 'mqttv5', '-r', '-t', topic, '-m', message)
/** What is kept of a topic, if anything comes within two seconds. */
const read = (place: Place, topic: string): Promise<CommandResult> =>
  session.client('mosquitto_sub', ...words(place), '-C', '1', '-W', '2', '-v', '-t', topic)

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const place: Place = { server: 'plain', login: ['test', password] }
  expect(await publish(place, 'greeting', 'hello')).toMatchObject({ exitCode: 0 })
  expect((await read(place, 'greeting')).stdout).toBe('greeting hello\n')
  const { MQTT_URL = '' } = session.variables
  const [, port = ''] = new RegExp(`^mqtt://test:${password}@127\\.0\\.0\\.1:(\\d+)$`).exec(MQTT_URL) ?? []
  // A CONNECT of nobody, by hand: the answer is that it is not authorized.
  const connect = '\\x10\\x0d\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x01a'
  const hand = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf '${connect}' >&3; head -c 4 <&3 | od -An -tx1`
  expect((await session.host('bash', '-c', hand)).stdout).toBe(' 20 02 00 05\n')
})

test('accepts the password of each user, and no other', async () => {
  const login = ['alice', alicesPassword] as const
  expect(await publish({ server: 'guarded', login }, 'news/a', 'b')).toMatchObject({ exitCode: 0, stderr: '' })
  for (const wrong of [['alice', 'wrong'] as const, ['carol', alicesPassword] as const])
    expect((await publish({ server: 'guarded', login: wrong }, 'news/a', 'b')).stderr).toMatch(/not authori[sz]ed/i)
  expect((await publish({ server: 'plain' }, 'news/a', 'b')).stderr).toMatch(/not authori[sz]ed/i)
})

test('accepts anonymous clients with `anonymous`, within its access control list', async () => {
  const nobody: Place = { server: 'guarded' }
  await publish({ server: 'guarded', login: ['alice', alicesPassword] }, 'news/b', 'c')
  expect((await read(nobody, 'news/b')).stdout).toBe('news/b c\n')
  expect((await publish(nobody, 'news/b', 'd')).stderr).toMatch(/not authori[sz]ed/i)
  expect((await read(nobody, 'news/b')).stdout).toBe('news/b c\n')
  await publish({ server: 'guarded', login: ['alice', alicesPassword] }, 'news/b', 'x'.repeat(200))
  expect((await read(nobody, 'news/b')).stdout).toBe('news/b c\n')
})

test("speaks TLS with a certificate of the fleet's authority", async () => {
  const over = (roots: string): Place => ({
    server: 'guarded',
    login: ['alice', alicesPassword],
    more: ['-p', '8883', '--cafile', roots],
  })
  expect(await publish(over('/etc/ssl/certs/ca-certificates.crt'), 'news/t', 'sealed')).toMatchObject({ exitCode: 0 })
  expect((await read(over('/etc/ssl/certs/ca-certificates.crt'), 'news/t')).stdout).toBe('news/t sealed\n')
  const refused = await publish(over('/etc/ssl/certs/ISRG_Root_X1.pem'), 'news/t', 'x')
  expect(refused.stderr).toMatch(/certificate verify failed|A TLS error occurred/)
})

test('needs no password with `login: false`', async () => {
  expect(session.variables.TESTFLEET_OPEN_MQTT_URL).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/)
  await publish({ server: 'open' }, 'greeting', 'hello')
  expect((await read({ server: 'open' }, 'greeting')).stdout).toBe('greeting hello\n')
})

test('refuses messages before its memory limit is reached', wide, async () => {
  const fill = 'for i in $(seq 40); do head -c 5000000 /dev/zero | mosquitto_pub -h open -r -t big/$i -s || break; done'
  await session.client('sh', '-c', fill)
  expect((await session.fleet.json(['ps'])).servers.open?.state).toBe('ready')
  const { stdout, stderr } = await session.fleet.call(['logs', 'open'])
  expect(stdout + stderr).toContain('out of memory')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('mqtt :1883: does not answer')
})
