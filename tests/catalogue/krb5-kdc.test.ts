import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession
const odd = `it's a "word" \\ here`

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'krb5-kdc' },
      other: {
        preset: 'krb5-kdc',
        options: {
          realm: 'OTHER.TEST',
          users: { alice: { file: 'alice' } },
          services: ['HTTP/web.other.test'],
          keytabMode: '0644',
        },
      },
    },
    { alice: odd },
  )
})

afterAll(() => session.end())

/** Gets a ticket of the KDC by its password, and does more with it. */
function login(user: string, password: string, kdc: string, then = 'klist', most = 1465): readonly string[] {
  const [, realm = ''] = user.split('@')
  const config = `[libdefaults]
default_realm = ${realm}
dns_lookup_kdc = false
rdns = false
udp_preference_limit = ${most}
[realms]
${realm} = {
kdc = ${kdc}
}
`
  const script = `set -e; cd "$(mktemp -d)"; export KRB5_CONFIG=$PWD/conf KRB5CCNAME=$PWD/tickets
    printf '%s' "$1" > conf; printf '%s\\n' "$3" | kinit "$2" > /dev/null; ${then}`
  return ['sh', '-c', script, 'login', config, user, password]
}

async function answer(...asking: Parameters<typeof login>): Promise<string> {
  const { stdout, stderr } = await session.client(...login(...asking))
  return stdout + stderr
}

test('works without options, by UDP and TCP, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  // Larger requests go by TCP.
  for (const most of [1465, 1])
    expect(await answer('test@EXAMPLE.TEST', password, 'plain', 'klist', most)).toContain(
      'krbtgt/EXAMPLE.TEST@EXAMPLE.TEST',
    )
  const fromHost = login('test@EXAMPLE.TEST', password, session.variables.TESTFLEET_PLAIN_KRB5_KDC ?? '', 'klist', 1)
  expect((await session.fromHost(...fromHost)).stdout).toContain('krbtgt/EXAMPLE.TEST@EXAMPLE.TEST')
})

test('issues no ticket for a wrong password or an unknown user', async () => {
  expect(await answer('test@EXAMPLE.TEST', 'wrong', 'plain')).toContain('Password incorrect')
  expect(await answer('nobody@EXAMPLE.TEST', 'wrong', 'plain')).toContain('not found in Kerberos database')
})

test('accepts a password with special characters, and has the keys of services', async () => {
  const said = await answer('alice@OTHER.TEST', odd, 'other', 'kvno HTTP/web.other.test')
  expect(said).toContain('HTTP/web.other.test@OTHER.TEST: kvno = 2')
  const keys = await session.fleet.done(['exec', 'other', '--', 'klist', '-k', '/srv/keytabs/services.keytab'])
  expect(keys.stdout).toMatch(/2 HTTP\/web\.other\.test@OTHER\.TEST/)
  const asNobody = ['exec', 'other', '--user', 'nobody', '--', 'cat', '/srv/keytabs/services.keytab']
  expect((await session.fleet.call(asNobody)).exitCode).toBe(0)
})

test('gives `exec` a KDC: kinit works without options', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const script = 'printf "%s\\n" "$1" | kinit -c /tmp/tickets test > /dev/null && klist -c /tmp/tickets'
  const { stdout } = await session.fleet.done(['exec', 'plain', '--', 'sh', '-c', script, 'sh', password])
  expect(stdout).toContain('krbtgt/EXAMPLE.TEST@EXAMPLE.TEST')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^(?:kerberos|tcp) :88: /)
})
