import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue, trustOthers } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'nginx', export: { PLAIN_URL: 'http://${host}:${port.80}' } },
      unlisted: { preset: 'nginx', options: { seed: 'documents' } },
      more: {
        preset: 'nginx',
        options: {
          user: 'app',
          tls: true,
          autoindex: true,
          seed: 'documents',
          users: { alice: { file: 'alice.txt' } },
          private: 'private',
          configuration: 'own.conf',
        },
      },
    },
    {
      'documents/a.txt': 'a line of a document\n'.repeat(200),
      'documents/deep/b.json': '{}\n',
      'documents/.git/config': 'kept\n',
      'documents/deep/.htaccess': 'kept\n',
      'documents/.well-known/known.txt': 'known\n',
      'private/own.txt': 'a page of the own\n',
      'own.conf': 'location = /own { return 200 "own"; }\nadd_header X-Own yes;\n',
      'alice.txt': `it's "a" $password \\ of: alice`,
    },
  )
})

afterAll(() => session.end())

const curl = (...words: string[]) => session.client('curl', '--silent', '--show-error', ...words)
const status = async (...words: string[]) =>
  (await curl('--output', '/dev/null', '--write-out', '%{http_code}', ...words)).stdout

test('serves a page without options, to the network and to the host', async () => {
  expect((await curl('http://plain/')).stdout).toContain('A page of the preset nginx.')
  const { PLAIN_URL = '' } = session.variables
  expect((await session.host('curl', '--silent', PLAIN_URL)).stdout).toContain('A page of the preset nginx.')
  expect(await status('http://plain/none')).toBe('404')
})

test('serves the documents of its option with their types, in whole and in part', async () => {
  const { stdout } = await curl('--include', 'http://more/deep/b.json')
  expect(stdout).toContain('Content-Type: application/json')
  expect(stdout).toMatch(/\r\n\r\n\{\}\n$/)
  expect((await curl('--range', '2-5', 'http://more/a.txt')).stdout).toBe('line')
  expect((await curl('--head', '--location', 'http://more/deep')).stdout).toContain('Location: /deep/')
})

test('lists a folder only with its option', async () => {
  expect((await curl('http://more/')).stdout).toMatch(/Index of \/[\s\S]*href="deep\/"[\s\S]*href="a.txt"/)
  expect(await status('http://more/deep/')).toBe('200')
  expect((await curl('--include', 'http://unlisted/')).stdout).toContain('403 Forbidden')
})

test('has pages that need a login', async () => {
  const area = 'http://more/private/'
  const password = await session.secret('more', 'PASSWORD')
  const plain = ['--user', `test:${await session.secret('plain', 'PASSWORD')}`]
  expect((await curl(...plain, 'http://plain/private/')).stdout).toContain('has logged in')
  expect((await curl('--user', `app:${password}`, `${area}own.txt`)).stdout).toBe('a page of the own\n')
  expect(await status('--user', `alice:it's "a" $password \\ of: alice`, `${area}own.txt`)).toBe('200')
  for (const login of ['app:wrong', `alice:${password}`, `test:${password}`])
    expect(await status('--user', login, area)).toBe('401')
  expect((await curl('--include', area)).stdout).toContain('WWW-Authenticate: Basic realm="private"')
  expect((await session.host('curl', '--silent', `${session.variables.WEB_URL}/private/`)).stdout).toContain('401')
})

test('refuses names that begin with a dot, except .well-known', async () => {
  const kept = ['.git/config', '.git/', '%2egit/config', 'deep/.htaccess', '.none']
  const asked = kept.flatMap((path) => ['--output', '/dev/null', `http://more/${path}`])
  expect((await curl('--write-out', '%{http_code} ', ...asked)).stdout).toBe('403 '.repeat(kept.length))
  expect((await curl('http://more/.well-known/known.txt')).stdout).toBe('known\n')
})

test("reads the user's directives", async () => {
  expect((await curl('--include', 'http://more/own')).stdout).toMatch(/X-Own: yes[\s\S]*own$/)
})

test('compresses text when the client accepts it', async () => {
  const { stdout } = await curl('--include', '--compressed', 'http://more/a.txt')
  expect(stdout).toContain('Content-Encoding: gzip')
  expect(stdout).toContain('a line of a document\na line of a document\n')
})

test('runs as a user without capabilities', async () => {
  const asked = ['--', 'sh', '-c', 'grep --no-filename -E "^(Uid|CapEff)" /proc/[0-9]*/status | sort --unique']
  const { stdout } = await session.fleet.done(['exec', 'plain', ...asked])
  expect(stdout).toBe('CapEff:\t0000000000000000\nUid:\t33\t33\t33\t33\n')
})

test('speaks TLS with a certificate of the fleet, and HTTP/2', async () => {
  const version = ['--output', '/dev/null', '--write-out', '%{http_version} %{http_code}']
  expect((await curl(...version, 'https://more/a.txt')).stdout).toBe('2 200')
  expect((await curl(...version, '--http1.1', 'https://more/a.txt')).stdout).toBe('1.1 200')
  const { TESTFLEET_CA_FILE = '', WEB_TLS_URL = '' } = session.variables
  const trusting = ['--silent', '--cacert', TESTFLEET_CA_FILE, `${WEB_TLS_URL}/deep/b.json`]
  expect((await session.host('curl', ...trusting)).stdout).toBe('{}\n')
})

test("is not trusted by a client without the fleet's authority", async () => {
  expect(await curl(...trustOthers, 'https://more/a.txt')).toMatchObject({ exitCode: 60, stdout: '' })
  expect((await curl('https://plain/')).stderr).toContain('Failed to connect')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^http :80\/up: /)
})
