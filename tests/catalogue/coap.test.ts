import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    plain: { preset: 'coap', options: { resources: 1 } },
    more: { preset: 'coap', options: { dtls: true, users: { alice: { generate: 16 } } } },
  })
})

afterAll(() => session.end())

/** The whole of an answer; what the client itself says has more to it. */
const TIME = /^[A-Z][a-z]{2} \d{2} \d{2}:\d{2}:\d{2}$/m

/** Of another TLS library than the server's. */
const ask = (...words: string[]) => session.client('coap-client-gnutls', '-B', '3', ...words)

test('answers over UDP and over TCP, to the network and to the host', async () => {
  expect((await ask('coap://plain/')).stdout).toContain('test server made with libcoap')
  expect((await ask('coap+tcp://plain/')).stdout).toContain('test server made with libcoap')
  expect((await ask('coap://plain/.well-known/core')).stdout).toContain('</time>')
  const [udp, tcp] = [session.published('plain', '5683/udp'), session.published('plain', '5683/tcp')]
  for (const url of [`coap://${udp.host}:${udp.port}/`, `coap+tcp://${tcp.host}:${tcp.port}/`]) {
    expect((await session.fromHost('coap-client-gnutls', '-B', '3', url)).stdout).toContain('test server made with')
  }
})

test('stores resources that are put, up to the number of its option', async () => {
  await ask('-m', 'put', '-e', 'hello', 'coap://plain/first')
  expect((await ask('coap://plain/first')).stdout).toBe('hello\n')
  expect((await ask('-m', 'put', '-e', 'more', 'coap://plain/second')).stderr).toContain('4.06')
})

test('accepts the key of each identity over DTLS and TLS, and no other', async () => {
  const keys = { test: await session.secret('more', 'PASSWORD'), alice: await session.secret('more', 'user.alice') }
  for (const [identity, key] of Object.entries(keys)) {
    expect((await ask('-u', identity, '-k', key, 'coaps://more/time')).stdout).toMatch(TIME)
  }
  expect((await ask('-u', 'test', '-k', keys.test, 'coaps+tcp://more/time')).stdout).toMatch(TIME)
  expect((await ask('-u', 'test', '-k', 'wrong', 'coaps://more/time')).stdout).not.toMatch(TIME)
  expect((await ask('-u', 'nobody', '-k', keys.test, 'coaps://more/time')).stdout).not.toMatch(TIME)
})

test('logs no key', async () => {
  const { stdout, stderr } = await session.fleet.done(['logs', 'more'])
  expect(stdout + stderr).not.toContain(await session.secret('more', 'PASSWORD'))
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^coap :5683/)
})
