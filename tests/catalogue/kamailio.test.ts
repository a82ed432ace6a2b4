import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    plain: { preset: 'kamailio' },
    more: {
      preset: 'kamailio',
      options: { tls: true, realm: 'phones.test', users: { alice: { generate: 24 } } },
    },
  })
})

afterAll(() => session.end())

const sipsak = (...words: string[]) => session.client('sipsak', '-vv', ...words)
const register = (server: string, user: string, password: string) =>
  sipsak('-U', '-i', '-s', `sip:${user}@${server}`, '-u', user, '-a', password)

test('answers over UDP and TCP with no option at all', async () => {
  for (const transport of ['udp', 'tcp'])
    expect((await sipsak('-E', transport, '-s', 'sip:plain')).stdout).toContain('SIP/2.0 200 OK')
})

test('takes the registration of each user with its password, and no other', async () => {
  const done = 'All usrloc tests completed successful.'
  expect((await register('plain', 'test', await session.secret('plain', 'PASSWORD'))).stdout).toContain(done)
  const alice = await session.secret('more', 'user.alice')
  expect((await register('more', 'alice', alice)).stdout).toContain(done)
  for (const [user, password] of [
    ['alice', 'wrong'],
    ['test', alice],
    ['nobody', alice],
  ] as const) {
    const { exitCode, stdout, stderr } = await register('more', user, password)
    expect({ exitCode, said: stdout + stderr }).toEqual({
      exitCode: 2,
      said: expect.stringMatching(/realm="phones.test"[\s\S]*authorization failed/),
    })
  }
})

const options = [
  'OPTIONS sip:more SIP/2.0',
  'Via: SIP/2.0/TLS client;branch=z9hG4bK1;rport',
  'From: <sip:client@client>;tag=1',
  'To: <sip:more>',
  'Call-ID: 1',
  'CSeq: 1 OPTIONS',
  'Max-Forwards: 1',
  'Content-Length: 0',
  '\r\n',
].join('\r\n')

test("speaks TLS with a certificate of the fleet's authority, and is not trusted by who does not know it", async () => {
  // The answer has two seconds to come before the client hangs up.
  const connect =
    '{ printf %s "$0"; sleep 2; } | openssl s_client -quiet -no_ign_eof -verify_return_error -connect more:5061 "$@"'
  const ask = (...words: string[]) => session.client('sh', '-c', connect, options, ...words)
  expect((await ask('-verify_hostname', 'more')).stdout).toContain('SIP/2.0 200 OK')
  const refused = await ask('-CAfile', '/etc/ssl/certs/ISRG_Root_X1.pem', '-no-CApath', '-no-CAstore')
  expect(refused.stdout).toBe('')
  expect(refused.stderr).toContain('verify error')
})

test('is not ready while it does not answer', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^(sip|tcp) :5060.*: /)
})
