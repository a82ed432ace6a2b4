import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue, trustOthers } from '../support/catalogue.ts'

let session: CatalogueSession

const ownConfiguration = `frontend own
    mode http
    bind :9000
    http-request return status 200 content-type text/plain string own
`

beforeAll(async () => {
  const web = (seed: string) => ({ preset: 'nginx', options: { seed } })
  session = await startCatalogue(
    {
      web1: web('one'),
      web2: web('two'),
      store: { preset: 'redis' },
      own: { preset: 'haproxy', options: { configuration: 'own.cfg' } },
      plain: { preset: 'haproxy', export: { PLAIN_URL: 'http://${host}:${port.80}' } },
      lines: { preset: 'haproxy', options: { servers: ['store:6379'], mode: 'tcp', tls: true } },
      // Its page is on one server alone, and the last is never there.
      picky: {
        preset: 'haproxy',
        options: { servers: ['web1:80', 'web2:80', 'web1:81'], check: '/ones.txt', waitFor: 'one' },
      },
      web: {
        preset: 'haproxy',
        options: { servers: ['web1:80', 'web2:80'], tls: true, users: { alice: { generate: 24 } } },
        export: { TURNS_URL: 'http://${host}:${port.80}', TURNS_TLS_URL: 'https://${host}:${port.443}' },
      },
    },
    { 'own.cfg': ownConfiguration, 'one/name.txt': 'one', 'one/ones.txt': '', 'two/name.txt': 'two' },
  )
})

afterAll(() => session.end())

const curl = (...words: string[]) => session.client('curl', '--silent', '--show-error', ...words)
const status = async (...words: string[]) =>
  (await curl('--output', '/dev/null', '--write-out', '%{http_code}', ...words)).stdout
const logIn = async (user = 'test', secret = 'PASSWORD') => ['--user', `${user}:${await session.secret('web', secret)}`]

test('answers 503 without options, to the network and to the host', async () => {
  expect((await curl('--include', 'http://plain/')).stdout).toContain('503 Service Unavailable')
  const { PLAIN_URL = '' } = session.variables
  expect((await session.host('curl', '--silent', PLAIN_URL)).stdout).toContain('No server is available')
})

test("reads the user's own sections", async () => {
  expect((await curl('http://own:9000/')).stdout).toBe('own')
})

test('sends requests to its servers in turn', async () => {
  const { stdout } = await curl('http://web/name.txt?[1-6]')
  expect(stdout).toMatch(/^(onetwo){3}$|^(twoone){3}$/)
  const { TURNS_URL = '' } = session.variables
  const asks = [`${TURNS_URL}/name.txt`, `${TURNS_URL}/name.txt`]
  expect((await session.host('curl', '--silent', ...asks)).stdout).toMatch(/^(onetwo|twoone)$/)
})

test('sends requests only to servers that pass its check', async () => {
  expect((await curl('http://picky/name.txt?[1-4]')).stdout).toBe('oneoneoneone')
  expect((await curl('http://picky:8404/ready')).stdout).toBe('1 of 3 servers are up\n')
})

test('forwards connections of any protocol, over TLS as well', async () => {
  const password = await session.secret('store', 'PASSWORD')
  const ping = ['redis-cli', '--no-auth-warning', '-a', password, '-h', 'lines']
  expect((await session.client(...ping, '-p', '80', 'ping')).stdout).toBe('PONG\n')
  const roots = '/etc/ssl/certs/ca-certificates.crt'
  expect((await session.client(...ping, '-p', '443', '--tls', '--cacert', roots, 'ping')).stdout).toBe('PONG\n')
})

test('shows its statistics only to users who log in', async () => {
  const { stdout } = await curl(...(await logIn()), 'http://web:8404/;csv')
  expect(stdout).toMatch(/^servers,web1:80,.*,UP,/m)
  expect(stdout).toMatch(/^servers,web2:80,.*,UP,/m)
  expect((await curl(...(await logIn('alice', 'user.alice')), 'http://web:8404/')).stdout).toContain(
    'Statistics Report for HAProxy',
  )
  expect((await curl(...(await logIn()), 'http://web:8404/metrics')).stdout).toContain(
    'haproxy_server_status{proxy="servers",server="web1:80",state="UP"} 1',
  )
  for (const words of [['--user', 'test:wrong'], await logIn('test', 'user.alice'), []]) {
    expect(await status(...words, 'http://web:8404/')).toBe('401')
    expect(await status(...words, 'http://web:8404/metrics')).toBe('401')
  }
  const { STATS_URL = '' } = session.variables
  expect((await session.host('curl', '--silent', STATS_URL)).stdout).toContain('Statistics Report for HAProxy')
})

test('speaks TLS with a certificate of the fleet, and HTTP/2', async () => {
  const version = ['--output', '/dev/null', '--write-out', '%{http_version} %{http_code}']
  expect((await curl(...version, 'https://web/name.txt')).stdout).toBe('2 200')
  expect((await curl(...version, '--http1.1', 'https://web/name.txt')).stdout).toBe('1.1 200')
  const { TESTFLEET_CA_FILE = '', TURNS_TLS_URL = '' } = session.variables
  const trusting = ['--silent', '--cacert', TESTFLEET_CA_FILE, `${TURNS_TLS_URL}/name.txt`]
  expect((await session.host('curl', ...trusting)).stdout).toMatch(/^(one|two)$/)
})

test("is not trusted by a client without the fleet's authority", async () => {
  expect(await curl(...trustOthers, 'https://web/')).toMatchObject({ exitCode: 60, stdout: '' })
  expect((await curl('https://plain/')).stderr).toContain('Failed to connect')
})

test('continues with the remaining server, and uses the other again when it is back', async () => {
  const names = async () => (await curl('http://web/name.txt?[1-4]')).stdout
  await session.fleet.done(['rm', 'web2'])
  await expect.poll(names).toBe('oneoneoneone')
  await session.fleet.done(['up', 'web2'])
  await expect.poll(names).toMatch(/^(onetwo){2}$|^(twoone){2}$/)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^http :8404\/ready: /)
})
