import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'bind9' },
      seeded: {
        preset: 'bind9',
        options: { zone: 'seed.test', seed: 'seed.zone', users: { alice: { generate: 24 } }, tls: true },
      },
    },
    { 'seed.zone': '$TTL 60\n@ SOA ns admin 7 60 60 60 60\n@ NS ns\nns A 192.0.2.1\ndeep.er TXT "from the seed"\n' },
  )
})

afterAll(() => session.end())

const dig = async (...words: string[]) => (await session.client('dig', '+tries=1', ...words)).stdout

function keyOf(user: string, password: string): string {
  return `hmac-sha256:${user}:${Buffer.from(password).toString('base64')}`
}

test('works without options, by UDP and TCP, from the network and from the host', async () => {
  expect(await dig('@plain', '+short', 'www.example.test')).toBe('192.0.2.80\n')
  expect(await dig('@plain', '+short', '+tcp', 'example.test', 'MX')).toBe('10 mail.example.test.\n')
  expect(await dig('@plain', 'none.example.test')).toMatch(/status: NXDOMAIN.*\n;; flags: qr aa /)
  const resolver = new Resolver()
  const { host, port } = session.published('plain', '53/udp')
  resolver.setServers([`${host}:${port}`])
  expect(await resolver.resolve4('www.example.test')).toEqual(['192.0.2.80'])
})

test('starts with its seed', async () => {
  expect(await dig('@seeded', '+short', 'deep.er.seed.test', 'TXT')).toBe('"from the seed"\n')
})

test('does not forward queries outside its zone', async () => {
  expect(await dig('@plain', '+recurse', 'elsewhere.test')).toContain('status: REFUSED')
  expect(await dig('@plain', '+recurse', '.', 'NS')).toMatch(/status: REFUSED|ANSWER: 0/)
})

test('accepts updates and transfers only with a key', async () => {
  const update = 'server seeded\nupdate add new.seed.test 60 A 192.0.2.99\nsend\n'
  const good = keyOf('alice', await session.secret('seeded', 'user.alice'))
  const bad = keyOf('alice', 'x'.repeat(24))
  expect((await session.clientWith(update, 'nsupdate', '-y', bad)).stderr).toContain('NOTAUTH(BADSIG)')
  expect(await dig('@seeded', '+short', 'new.seed.test')).toBe('')
  expect(await session.clientWith(update, 'nsupdate', '-y', good)).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await dig('@seeded', '+short', 'new.seed.test')).toBe('192.0.2.99\n')
  expect(await dig('@seeded', 'seed.test', 'AXFR')).toContain('Transfer failed')
  expect(await dig('@seeded', 'seed.test', 'AXFR', '-y', good)).toMatch(
    /new\.seed\.test\.\s+60\s+IN\s+A\s+192\.0\.2\.99/,
  )
})

test("answers over TLS to clients that trust the fleet's authority", async () => {
  const name = session.report.servers.seeded?.hostname ?? ''
  const over = [`@${name}`, '+tls', `+tls-hostname=${name}`, '+short', 'ns.seed.test']
  expect(await dig('+tls-ca', ...over)).toBe('192.0.2.1\n')
  const stranger = '/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt'
  expect(await dig(`+tls-ca=${stranger}`, ...over)).toMatch(/TLS peer certificate verification .* failed/)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('dns :53: does not answer')
})
