import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import { call, message, messageInNoCall, takeCall, takeMessage } from '../support/sipp.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    plain: { preset: 'kamailio' },
    more: {
      preset: 'kamailio',
      options: { tls: true, realm: 'phones.test', users: { alice: { generate: 24 }, bob: { generate: 24 } } },
    },
    elsewhere: { build: { packages: ['sip-tester'] }, command: ['sleep', '3600'], limits: { memory: '64m' } },
  })
})

afterAll(() => session.end())

const sipsak = (...words: string[]) => session.client('sipsak', '-vv', ...words)
const register = (server: string, user: string, password: string) =>
  sipsak('-U', '-i', '-s', `sip:${user}@${server}`, '-u', user, '-a', password)

test('answers over UDP and TCP without options, to the network and to the host', async () => {
  for (const transport of ['udp', 'tcp']) {
    expect((await sipsak('-E', transport, '-s', 'sip:plain')).stdout).toContain('SIP/2.0 200 OK')
    const { host, port } = session.published('plain', `5060/${transport}`)
    const words = ['sipsak', '-vv', '-E', transport, '-s', `sip:${host}:${port}`]
    expect((await session.fromHost(...words)).stdout).toContain('SIP/2.0 200 OK')
  }
})

test("accepts the registration of each user with the user's password, and no other", async () => {
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

/** Runs SIPp until its call is over, and gives what it sent and received; ends with 0 when all came as the scenario says. */
const sippScript = `
  file=$(mktemp -d) && cat > "$file/scenario.xml" || exit 99
  timeout 15 sipp -sf "$file/scenario.xml" -i "$(hostname -i)" -m 1 -nostdin -timeout_error \\
    -trace_msg -message_file "$file/messages" "$@" > /dev/null 2>&1
  result=$?
  cat "$file/messages"
  exit $result
`
const sipp = (scenario: string, ...words: string[]) =>
  session.clientWith(scenario, 'sh', '-c', sippScript, 'sipp', ...words)

const transports = { udp: 'u1', tcp: 't1' } as const
const ask = async (scenario: string, callee: string, password: string, ...words: string[]) => {
  const from = ['-key', 'caller', 'test', '-au', 'test', '-ap', password, '-timeout', '3s']
  return sipp(scenario, ...from, '-s', callee, ...words, `${session.report.servers.more?.ip}:5060`)
}
const toMore = ['-key', 'domain', 'more']
const testsPassword = () => session.secret('more', 'PASSWORD')

/** Has alice registered from the port at which SIPp answers for her, asks, and gives what either side has seen. */
async function meet(asked: string, taken: string, ...words: string[]) {
  const alice = ['-u', 'alice', '-a', await session.secret('more', 'user.alice')]
  const registered = await sipsak('-U', '-i', '-S', '-l', '5070', '-x', '60', '-s', 'sip:alice@more', ...alice)
  expect(registered.stdout).toContain('All usrloc tests completed successful.')
  const answering = sipp(taken, '-p', '5070', '-timeout', '10s')
  const isListening = async () => (await session.client('grep', '--count', ':13CE ', '/proc/net/udp')).exitCode === 0
  await expect.poll(isListening).toBe(true)
  const asking = await ask(asked, 'alice', await testsPassword(), ...toMore, ...words)
  return { asking, answering: await answering }
}

/** The first lines of what SIPp sent and received. */
const firstLines = (messages: string) =>
  [...messages.matchAll(/^(?:SIP\/2\.0 (\d+) .*|([A-Z]+) \S+ SIP\/2\.0)\r?$/gm)].map((match) => match[1] ?? match[2])

test('connects a call from a user who logged in to the registered address of another, and returns the answers', async () => {
  const { asking, answering } = await meet(call, takeCall)
  expect(firstLines(answering.stdout)).toEqual(['INVITE', '200', 'ACK', 'BYE', '200'])
  expect(firstLines(asking.stdout)).toEqual([
    ...['INVITE', '407', 'ACK'],
    ...['INVITE', '100', '200', 'ACK'],
    ...['BYE', '200'],
  ])
  expect([asking.exitCode, answering.exitCode]).toEqual([0, 0])
})

test('connects a caller by TCP to a user who registered by UDP', async () => {
  const { asking, answering } = await meet(call, takeCall, '-t', transports.tcp)
  expect(firstLines(answering.stdout)).toEqual(['INVITE', '200', 'ACK', 'BYE', '200'])
  expect([asking.exitCode, answering.exitCode]).toEqual([0, 0])
})

test('delivers a message', async () => {
  const { asking, answering } = await meet(message, takeMessage)
  expect(answering.stdout).toMatch(/^MESSAGE sip:alice@\S+ SIP\/2\.0\r?$[\s\S]*hello alice/m)
  expect(firstLines(asking.stdout)).toEqual(['MESSAGE', '407', 'MESSAGE', '200'])
})

test('needs a login from every caller, and refuses a wrong password', async () => {
  for (const scenario of [call, message]) {
    const { exitCode, stdout } = await ask(scenario, 'alice', 'wrong', ...toMore)
    expect(exitCode).not.toBe(0)
    expect(new Set(firstLines(stdout).filter((line) => /^\d/.test(line ?? '')))).toEqual(new Set(['407']))
  }
})

test('reports a user who is not registered and a user who does not exist', async () => {
  const password = await testsPassword()
  for (const [callee, answer] of [
    ['bob', '480'],
    ['nobody', '404'],
  ] as const)
    for (const scenario of [call, message])
      expect(firstLines((await ask(scenario, callee, password, ...toMore)).stdout)).toContain(answer)
})

test('forwards no request outside the fleet, for any name or address', async () => {
  const listen = ['sipp', '-sn', 'uas', '-p', '5060', '-nostdin', '-trace_msg', '-message_file', '/tmp/messages']
  await session.fleet.done(['exec', 'elsewhere', '--', 'sh', '-c', `${listen.join(' ')} > /dev/null 2>&1 &`])
  const heard = async () => (await session.fleet.call(['exec', 'elsewhere', '--', 'cat', '/tmp/messages'])).stdout
  const address = session.report.servers.elsewhere?.ip ?? ''
  const password = await testsPassword()
  for (const domain of [`elsewhere.${session.fleet.name}.test`, address])
    for (const [scenario, answer] of [
      [call, '404'],
      [message, '404'],
      [messageInNoCall, '404'],
    ] as const)
      expect(firstLines((await ask(scenario, 'nobody', password, '-key', 'domain', domain)).stdout)).toContain(answer)
  expect(await heard()).toBe('')
  // It would have heard.
  await session.client('timeout', '2', 'sipsak', '-s', `sip:${address}`)
  await expect.poll(heard).toContain('OPTIONS')
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

test("speaks TLS with a certificate of the fleet, and is not trusted by a client without the fleet's authority", async () => {
  // The answer has two seconds to come before the client hangs up.
  const connect =
    '{ printf %s "$0"; sleep 2; } | openssl s_client -quiet -no_ign_eof -verify_return_error -connect more:5061 "$@"'
  const ask = (...words: string[]) => session.client('sh', '-c', connect, options, ...words)
  expect((await ask('-verify_hostname', 'more')).stdout).toContain('SIP/2.0 200 OK')
  const refused = await ask('-CAfile', '/etc/ssl/certs/ISRG_Root_X1.pem', '-no-CApath', '-no-CAstore')
  expect(refused.stdout).toBe('')
  expect(refused.stderr).toContain('verify error')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^(sip|tcp) :5060.*: /)
})
