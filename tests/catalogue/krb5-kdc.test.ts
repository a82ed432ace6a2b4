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
        options: { realm: 'OTHER.TEST', users: { alice: { file: 'alice' } }, services: ['HTTP/web.other.test'] },
      },
    },
    { alice: odd },
  )
})

afterAll(() => session.end())

/** Gets a ticket of the KDC by its password, and does more with it. */
async function login(user: string, password: string, kdc: string, then = 'klist', most = 1465): Promise<string> {
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
    printf '%s' "$1" > conf; kinit "$2" > /dev/null; ${then}`
  const { stdout, stderr } = await session.clientWith(`${password}\n`, 'sh', '-c', script, 'login', config, user)
  return stdout + stderr
}

test('works with no option at all, by UDP and TCP', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  // Larger requests go by TCP.
  for (const most of [1465, 1])
    expect(await login('test@EXAMPLE.TEST', password, 'plain', 'klist', most)).toContain(
      'krbtgt/EXAMPLE.TEST@EXAMPLE.TEST',
    )
  expect(session.variables.KRB5_KDC).toMatch(/^127\.0\.0\.1:\d+$/)
})

test('gives a ticket for no wrong password, and to nobody whom it does not know', async () => {
  expect(await login('test@EXAMPLE.TEST', 'wrong', 'plain')).toContain('Password incorrect')
  expect(await login('nobody@EXAMPLE.TEST', 'wrong', 'plain')).toContain('not found in Kerberos database')
})

test('knows a user whose password has signs in it, and the keys of services', async () => {
  const answer = await login('alice@OTHER.TEST', odd, 'other', 'kvno HTTP/web.other.test')
  expect(answer).toContain('HTTP/web.other.test@OTHER.TEST: kvno = 2')
  const keys = await session.fleet.done(['exec', 'other', '--', 'klist', '-k', '/srv/keytabs/services.keytab'])
  expect(keys.stdout).toMatch(/2 HTTP\/web\.other\.test@OTHER\.TEST/)
})

test('is not ready while it does not answer', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^(?:kerberos|tcp) :88: /)
})
