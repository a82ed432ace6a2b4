import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'
import { makeFleet } from '../support/story-fleet.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password \\ of alice`
const suffix = 'dc=shop,dc=test'

beforeAll(async () => {
  session = await startCatalogue(
    {
      full: {
        preset: 'openldap',
        options: { suffix, users: { alice: { file: 'alice.txt' } }, seed: 'ldif', anonymous: false, tls: true },
      },
      loaded: { preset: 'openldap', options: { seed: 'ldif/20-bob.ldif', suffix } },
      plain: { preset: 'openldap' },
      checked: {
        preset: 'openldap',
        options: {
          suffix,
          overlays: ['memberof', 'unique', 'refint', 'ppolicy'],
          modules: ['pw-sha2'],
          schemas: ['dyngroup'],
          globalSettings: ['sizelimit 1'],
          settings: ['unique_uri ldap:///?mail?sub', 'refint_attributes member', 'ppolicy_hash_cleartext'],
          clientCertificates: 'demand',
          seed: 'ldif/20-bob.ldif',
          tls: true,
        },
      },
    },
    {
      'alice.txt': alicesPassword,
      'ldif/10-group.ldif': `dn: cn=staff,ou=groups,${suffix}\nobjectClass: groupOfNames\ncn: staff\nmember: uid=alice,ou=people,${suffix}\n`,
      'ldif/20-bob.ldif': `dn: uid=bob,ou=people,${suffix}\nobjectClass: inetOrgPerson\nuid: bob\ncn: Bøb\nsn: B\nuserPassword: sesame\n`,
    },
  )
})

afterAll(() => session.end())

interface Place {
  readonly url: string
  readonly who?: string
  readonly password?: string
  readonly roots?: string
  readonly more?: readonly string[]
}

function ldap(tool: string, { url, who, password = '', roots, more = [] }: Place, ...words: string[]) {
  const login = who === undefined ? [] : ['-D', who, '-w', password]
  const trust = ['env', `LDAPTLS_CACERT=${roots ?? '/etc/ssl/certs/ca-certificates.crt'}`]
  return session.client(...trust, tool, '-x', '-H', url, ...login, ...more, ...words)
}

const person = (name: string): string => `uid=${name},ou=people,${suffix}`
const search = (place: Place, ...words: string[]): Promise<CommandResult> =>
  ldap('ldapsearch', { ...place, more: [...(place.more ?? []), '-LLL', '-o', 'ldif-wrap=no'] }, ...words)

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const { LDAP_URL = '', LDAP_BASE_DN = '', LDAP_BIND_DN = '', LDAP_PASSWORD } = session.variables
  expect([LDAP_BASE_DN, LDAP_BIND_DN, LDAP_PASSWORD]).toEqual([
    'dc=example,dc=test',
    'cn=admin,dc=example,dc=test',
    password,
  ])
  const admin = { url: 'ldap://plain', who: LDAP_BIND_DN, password }
  expect((await ldap('ldapwhoami', admin)).stdout).toBe('dn:cn=admin,dc=example,dc=test\n')
  expect((await search(admin, '-b', LDAP_BASE_DN, '(ou=*)', 'dn')).stdout).toBe(
    'dn: ou=people,dc=example,dc=test\n\ndn: ou=groups,dc=example,dc=test\n\n',
  )
  const [, host = '', port = ''] = /^ldap:\/\/(127\.0\.0\.1):(\d+)$/.exec(LDAP_URL) ?? []
  // An anonymous bind, by hand: the answer is success.
  const hand = `exec 3<>/dev/tcp/${host}/${port}; printf '0\\x0c\\x02\\x01\\x01\\x60\\x07\\x02\\x01\\x03\\x04\\x00\\x80\\x00' >&3; head -c 14 <&3 | od -An -tx1`
  expect((await session.host('bash', '-c', hand)).stdout).toBe(' 30 0c 02 01 01 61 07 0a 01 00 04 00 04 00\n')
})

test('accepts the password of each user, and no other', async () => {
  const alice = { url: 'ldap://full', who: person('alice'), password: alicesPassword }
  expect((await ldap('ldapwhoami', alice)).stdout).toBe(`dn:${person('alice')}\n`)
  const bob = { url: 'ldap://loaded', who: person('bob'), password: 'sesame' }
  expect((await ldap('ldapwhoami', bob)).stdout).toBe(`dn:${person('bob')}\n`)
  for (const wrong of [
    { ...alice, password: 'wrong' },
    { ...alice, who: `cn=admin,${suffix}` },
    { ...alice, who: person('carol') },
  ])
    expect((await ldap('ldapwhoami', wrong)).stderr).toContain('ldap_bind: Invalid credentials (49)')
})

test('starts with its seed, and maintains memberOf', async () => {
  const alice = { url: 'ldap://full', who: person('alice'), password: alicesPassword }
  expect((await search(alice, '-b', suffix, '(uid=*)', 'cn', 'mail', 'memberOf')).stdout).toBe(
    `dn: ${person('alice')}\ncn: alice\nmail: alice@shop.test\nmemberOf: cn=staff,ou=groups,${suffix}\n\n` +
      `dn: ${person('bob')}\ncn:: QsO4Yg==\n\n`,
  )
})

test('allows reading to everyone or only after a login, and reading passwords to nobody', async () => {
  const asking = ['-b', suffix, '(uid=bob)', 'sn', 'userPassword'] as const
  expect((await search({ url: 'ldap://loaded' }, ...asking)).stdout).toBe(`dn: ${person('bob')}\nsn: B\n\n`)
  expect((await search({ url: 'ldap://full' }, ...asking)).stderr).toContain('Insufficient access (50)')
  const alice = { url: 'ldap://full', who: person('alice'), password: alicesPassword }
  expect((await search(alice, ...asking)).stdout).toBe(`dn: ${person('bob')}\nsn: B\n\n`)
})

test('allows people to change only their own password', async () => {
  const alice = { url: 'ldap://full', who: person('alice'), password: alicesPassword }
  expect((await ldap('ldappasswd', alice, '-s', 'x', person('bob'))).stdout).toContain('Insufficient access (50)')
  const bob = { url: 'ldap://full', who: person('bob'), password: 'sesame' }
  expect(await ldap('ldappasswd', bob, '-s', 'new one')).toMatchObject({ exitCode: 0 })
  expect((await ldap('ldapwhoami', { ...bob, password: 'new one' })).exitCode).toBe(0)
})

test("speaks TLS with a certificate of the fleet's authority", async () => {
  const alice = { who: person('alice'), password: alicesPassword }
  for (const over of [{ url: 'ldaps://full' }, { url: 'ldap://full', more: ['-ZZ'] }]) {
    expect((await ldap('ldapwhoami', { ...alice, ...over })).stdout).toBe(`dn:${person('alice')}\n`)
    const strangers = { ...alice, ...over, roots: '/etc/ssl/certs/ISRG_Root_X1.pem' }
    expect((await ldap('ldapwhoami', strangers, '-v', '-d1')).stderr).toMatch(/peer cert untrusted/)
  }
  expect((await ldap('ldapwhoami', { url: 'ldap://loaded', more: ['-ZZ'] })).stderr).toContain('ldap_start_tls')
})

test('has the overlays, modules, schemas and settings of its options', async () => {
  const password = await session.secret('checked', 'PASSWORD')
  const admin = { url: 'ldap://checked', who: `cn=admin,${suffix}`, password }
  const entry = (name: string): string =>
    `dn: ${person(name)}\nobjectClass: inetOrgPerson\nuid: ${name}\ncn: ${name}\nsn: ${name}\nmail: one@shop.test\n`
  const add = (text: string) =>
    session.clientWith(text, 'ldapadd', '-x', '-H', admin.url, '-D', admin.who, '-w', password)
  expect((await add(entry('dora'))).exitCode).toBe(0)
  const hashed = Buffer.from('{SSHA}').toString('base64')
  expect((await search(admin, '-b', person('bob'), 'userPassword')).stdout).toContain(`userPassword:: ${hashed}`)
  expect((await add(entry('emil'))).stderr).toContain('non-unique attributes found')
  expect((await add(`dn: cn=q,${suffix}\nobjectClass: groupOfURLs\ncn: q\n`)).exitCode).toBe(0)
  expect((await search({ url: 'ldap://checked' }, '-b', suffix, '(uid=*)', 'dn')).stderr).toContain(
    'Size limit exceeded',
  )
})

test('accepts only clients with a certificate if `clientCertificates` demands it', async () => {
  const where = ['ldapwhoami', '-x', '-H', 'ldaps://checked'] as const
  const without = await session.client('env', 'LDAPTLS_CACERT=/etc/ssl/certs/ca-certificates.crt', ...where)
  expect(without.exitCode).not.toBe(0)
  const { TESTFLEET_CLIENT_CERT_FILE: file = '', TESTFLEET_CLIENT_KEY_FILE: key = '' } = session.variables
  const pem = `${await readFile(file, 'utf8')}${await readFile(key, 'utf8')}`
  const script =
    'cat > /tmp/client.pem; export LDAPTLS_CACERT=/etc/ssl/certs/ca-certificates.crt LDAPTLS_CERT=/tmp/client.pem LDAPTLS_KEY=/tmp/client.pem; exec "$@"'
  expect((await session.clientWith(pem, 'sh', '-c', script, 'sh', ...where)).stdout).toBe('anonymous\n')
})

test('names the entry and the file of a seed that is refused', async () => {
  const seed = `dn: cn=one,ou=groups,dc=example,dc=test\nobjectClass: organizationalRole\ncn: one\n\ndn: ou=people,dc=example,dc=test\nobjectClass: organizationalUnit\nou: people\n`
  const fleet = await makeFleet(
    { bad: { preset: 'openldap', options: { seed: 'ldif' } } },
    { 'ldif/10-more.ldif': seed },
  )
  const { exitCode, stdout, stderr } = await fleet.call(['up', '--timeout', '5m'], { timeoutMs: 5 * 60_000 })
  await fleet.cleanUp()
  expect(exitCode).not.toBe(0)
  expect(stdout + stderr).toContain(
    'start-openldap: 10-more.ldif: the entry "ou=people,dc=example,dc=test" is refused: ldap_add: Already exists (68)',
  )
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('ldap :389: does not answer')
})
