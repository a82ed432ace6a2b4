import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'dnsmasq' },
      seeded: {
        preset: 'dnsmasq',
        options: { domain: 'seed.test', seed: 'hosts', wildcards: ['wild.test 192.0.2.7'], ttl: 5 },
      },
    },
    { hosts: '192.0.2.1 one.seed.test uno.seed.test\n2001:db8::1 one.seed.test\n' },
    ['dnsutils'],
  )
})

afterAll(() => session.end())

const dig = async (...words: string[]) => (await session.client('dig', '+tries=1', ...words)).stdout

test('works without options, by UDP and TCP, from the network and from the host', async () => {
  expect(await dig('@plain', '+short', 'www.example.test')).toBe('192.0.2.80\n')
  expect(await dig('@plain', '+short', '+tcp', 'www.example.test', 'AAAA')).toBe('2001:db8::80\n')
  expect(await dig('@plain', '+short', '-x', '192.0.2.25')).toBe('mail.example.test.\n')
  const resolver = new Resolver()
  const { host, port } = session.published('plain', '53/udp')
  resolver.setServers([`${host}:${port}`])
  expect(await resolver.resolve4('www.example.test')).toEqual(['192.0.2.80'])
})

test('serves the records of its seed and its options', async () => {
  expect(await dig('@seeded', '+noall', '+answer', 'uno.seed.test')).toMatch(
    /^uno\.seed\.test\.\s+5\s+IN\s+A\s+192\.0\.2\.1\n$/,
  )
  expect(await dig('@seeded', '+short', 'one.seed.test', 'AAAA')).toBe('2001:db8::1\n')
  expect(await dig('@seeded', '+short', 'any.thing.wild.test')).toBe('192.0.2.7\n')
  expect(await dig('@seeded', 'www.example.test')).toContain('status: REFUSED')
})

test('does not forward queries for unknown names', async () => {
  expect(await dig('@plain', 'none.example.test')).toContain('status: NXDOMAIN')
  expect(await dig('@plain', 'elsewhere.test')).toContain('status: REFUSED')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('dns :53: does not answer')
})
