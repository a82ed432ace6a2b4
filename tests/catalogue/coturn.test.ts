import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    plain: { preset: 'coturn' },
    secure: { preset: 'coturn', options: { users: { alice: { generate: 24 } }, realm: 'secure.test', tls: true } },
  })
})

afterAll(() => session.end())

/** coturn's own clients, in the container of the one server, ask the other. */
async function ask(seconds: number, program: string, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await session.fleet.call([
    'exec',
    'plain',
    '--',
    'timeout',
    String(seconds),
    program,
    ...words,
  ])
  return stdout + stderr
}

const relayFor = (seconds: number, user: string, password: string, ...words: string[]) =>
  ask(seconds, 'turnutils_uclient', '-v', '-n', '1', '-m', '1', '-u', user, '-w', password, ...words)
const relay = (...words: [user: string, password: string, ...string[]]) => relayFor(60, ...words)
/** Who is refused goes on asking: it is ended. */
const askInVain = (...words: [user: string, password: string, ...string[]]) => relayFor(8, ...words)

const relayed = /tot_send_msgs=4, tot_recv_msgs=4[\s\S]*Total lost packets 0 /

test('reports each client its own address', async () => {
  expect(await ask(60, 'turnutils_stunclient', 'secure')).toContain(
    `UDP reflexive addr: ${session.report.servers.plain?.ip}:`,
  )
  const { host, port } = session.published('secure', '3478/udp')
  expect(session.variables.STUN_URL).toBe(`stun:${host}:${port}`)
  expect((await session.fromHost('stun', '-v', `${host}:${port}`, '1')).stderr).toMatch(/mappedAddr=\d/)
})

test('relays for its user without options, by UDP and TCP, and refuses a wrong password', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect(await relay('test', password, '-y', 'plain')).toMatch(relayed)
  expect(await relay('test', password, '-y', '-t', 'plain')).toMatch(relayed)
  expect(await askInVain('test', 'wrong', '-y', 'plain')).not.toContain('Received relay addr')
  expect((await session.fleet.done(['logs', 'plain'])).stdout).toContain('user test credentials are incorrect')
})

test('relays to no address outside the fleet', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const answer = await askInVain('test', password, '-e', '192.0.2.1', 'plain')
  expect(answer).toContain('channel bind: error 403 (Forbidden IP)')
})

test("relays over TLS for clients that trust the fleet's authority", async () => {
  const name = session.report.servers.secure?.hostname ?? ''
  const password = await session.secret('secure', 'user.alice')
  const authority = ['-E', '/run/testfleet/tls/ca.pem']
  expect(await relay('alice', password, '-y', '-t', '-S', ...authority, name)).toMatch(relayed)
  const openssl = (...words: string[]) =>
    session.client('openssl', 's_client', '-connect', `${name}:5349`, '-verify_return_error', ...words)
  expect((await openssl('-verify_hostname', name)).stdout).toContain(`Verified peername: ${name}`)
  const stranger = ['-no-CApath', '-CAfile', '/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt']
  expect((await openssl(...stranger)).stderr).toContain('certificate verify failed')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('stun :3478: does not answer')
})
