import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue, trustOthers } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'apache2', export: { PLAIN_URL: 'http://${host}:${port.80}' } },
      more: {
        preset: 'apache2',
        options: {
          tls: true,
          trace: true,
          seed: 'documents',
          users: { alice: { generate: 24 } },
          private: 'private',
          cgi: 'programs',
          openDav: true,
          configuration: 'own.conf',
        },
      },
    },
    {
      'documents/a.txt': `${'a line of a document\n'.repeat(200)}`,
      'documents/deep/b.txt': 'deep\n',
      'documents/.git/config': 'kept\n',
      'documents/.htpasswd': 'kept\n',
      'documents/.well-known/known.txt': 'known\n',
      'documents/members/.htaccess':
        'AuthType Basic\nAuthName members\nAuthUserFile /run/apache2/basic\nRequire valid-user\n',
      'documents/members/a.txt': 'for members\n',
      'documents/packed/.htaccess': 'SetOutputFilter DEFLATE\n',
      'documents/packed/a.bin': '0'.repeat(5000),
      'documents/plain/.htaccess': 'SetEnv no-gzip 1\n',
      'documents/plain/a.txt': '0'.repeat(5000),
      'documents/moved/.htaccess': 'RewriteEngine on\nRewriteRule ^old$ new.txt\n',
      'documents/moved/new.txt': 'new\n',
      'private/own.txt': 'a page of the own\n',
      'private/.hidden': 'kept\n',
      'programs/own': '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\nown $QUERY_STRING"\n',
      'own.conf': 'Header set X-Own yes\n',
    },
  )
})

afterAll(() => session.end())

const curl = (...words: string[]) => session.client('curl', '--silent', '--show-error', ...words)
const status = async (...words: string[]) =>
  (await curl('--output', '/dev/null', '--write-out', '%{http_code}', ...words)).stdout
/** The status of each of these, asked for in one call. */
const statuses = async (...urls: string[]) =>
  (await curl('--write-out', '%{http_code}\n', ...urls.flatMap((url) => ['--output', '/dev/null', url]))).stdout
    .trim()
    .split('\n')
const logIn = async (server: string, user = 'test', secret = 'PASSWORD') =>
  `${user}:${await session.secret(server, secret)}`

test('serves a page without options, to the network and to the host', async () => {
  expect((await curl('http://plain/')).stdout).toContain('A page of the preset apache2.')
  const { PLAIN_URL = '' } = session.variables
  expect((await session.host('curl', '--silent', PLAIN_URL)).stdout).toContain('A page of the preset apache2.')
})

test('serves the documents of its option, and lists them', async () => {
  expect((await curl('http://more/deep/b.txt')).stdout).toBe('deep\n')
  expect((await curl('http://more/')).stdout).toMatch(/Index of \/[\s\S]*href="a.txt"[\s\S]*href="deep\/"/)
})

test.each(['basic', 'digest'])('has an area that needs a login by %s', async (kind) => {
  const area = `http://more/${kind}/`
  expect((await curl(`--${kind}`, '--user', await logIn('plain'), `http://plain/${kind}/`)).stdout).toContain(
    'has logged in',
  )
  expect((await curl(`--${kind}`, '--user', await logIn('more'), `${area}own.txt`)).stdout).toBe('a page of the own\n')
  expect(await status(`--${kind}`, '--user', await logIn('more', 'alice', 'user.alice'), area)).toBe('200')
  expect(await status(`--${kind}`, '--user', 'test:wrong', area)).toBe('401')
  expect((await curl('--include', area)).stdout).toMatch(new RegExp(`WWW-Authenticate: ${kind} realm="${kind}"`, 'i'))
})

test('accepts PUT and DELETE from users with a password', async () => {
  const put = ['--upload-file', '-', 'http://plain/dav/new.txt']
  const user = ['--user', await logIn('plain')]
  expect((await session.clientWith('x', 'curl', '--silent', '--include', ...put)).stdout).toContain(' 401 ')
  expect((await session.clientWith('new\n', 'curl', '--silent', '--include', ...user, ...put)).stdout).toContain(
    ' 201 ',
  )
  expect((await curl(...user, 'http://plain/dav/new.txt')).stdout).toBe('new\n')
  expect(await status(...user, '--request', 'DELETE', 'http://plain/dav/new.txt')).toBe('204')
  expect(await status(...user, 'http://plain/dav/new.txt')).toBe('404')
})

test('accepts PUT and DELETE from everyone without a login', async () => {
  const put = (name: string) =>
    session.clientWith('new\n', 'curl', '--silent', '--include', '--upload-file', '-', `http://more/dav/${name}`)
  expect((await put('new.txt')).stdout).toContain(' 201 ')
  expect((await curl('http://more/dav/new.txt')).stdout).toBe('new\n')
  expect(await status('--request', 'DELETE', 'http://more/dav/new.txt')).toBe('204')
  expect((await put('.htaccess')).stdout).toContain(' 403 ')
})

test('respects the .htaccess files of its documents', async () => {
  const members = 'http://more/members/a.txt'
  expect(await status(members)).toBe('401')
  expect((await curl('--user', await logIn('more'), members)).stdout).toBe('for members\n')
  expect((await curl('http://more/moved/old')).stdout).toBe('new\n')
  const packed = (path: string) => curl('--head', '--header', 'Accept-Encoding: gzip', `http://more/${path}`)
  expect((await packed('packed/a.bin')).stdout).toContain('Content-Encoding: gzip')
  expect((await packed('plain/a.txt')).stdout).not.toContain('Content-Encoding')
})

test('refuses names that begin with a dot, except .well-known', async () => {
  const kept = ['.htpasswd', 'members/.htaccess', '.git/config', '.git/', '%2egit/config', '.none', 'basic/.hidden']
  expect(await statuses(...kept.map((path) => `http://more/${path}`))).toEqual(kept.map(() => '403'))
  expect(await status('--user', await logIn('more'), 'http://more/basic/.hidden')).toBe('403')
  expect((await curl('http://more/.well-known/known.txt')).stdout).toBe('known\n')
  expect((await curl('http://more/')).stdout).not.toContain('.git')
})

test("runs the user's CGI programs and reads the user's directives", async () => {
  expect((await curl('--include', 'http://more/cgi-bin/own?q=1')).stdout).toMatch(/X-Own: yes[\s\S]*\r\n\r\nown q=1$/)
  expect((await curl('http://more/cgi-bin/echo?q=1')).stdout).toContain('GET /cgi-bin/echo?q=1 HTTP/1.1')
})

test('echoes a request at /cgi-bin/echo', async () => {
  const sent = ['--data', 'the body', '--header', 'X-Word: a b', '--user', 'u:p', 'http://plain/cgi-bin/echo?q=1']
  const { stdout } = await curl(...sent)
  expect(stdout).toMatch(/^POST \/cgi-bin\/echo\?q=1 HTTP\/1\.1\n/)
  expect(stdout).toContain('\nX-Word: a b\n')
  expect(stdout).toContain('\nAuthorization: Basic dTpw\n')
  expect(stdout).toMatch(/\n\nthe body$/)
})

test('compresses text when the client accepts it', async () => {
  const { stdout } = await curl('--include', '--compressed', 'http://more/a.txt')
  expect(stdout).toContain('Content-Encoding: gzip')
  expect(stdout).toContain('a line of a document\na line of a document\n')
})

test('serves a large file with known content, in whole and in part', async () => {
  const { stdout } = await session.client('sh', '-c', 'curl --silent http://plain/big.txt | sha256sum')
  expect(stdout.slice(0, 64)).toBe(createHash('sha256').update(bigFile()).digest('hex'))
  expect((await curl('--range', '0-7', 'http://plain/big.txt')).stdout).toBe('1\n2\n3\n4\n')
  expect(await status('--range', '33554432-', 'http://plain/big.txt')).toBe('416')
})

function bigFile(): string {
  let text = ''
  for (let number = 1; text.length < 32 * 1024 * 1024; number++) text += `${number}\n`
  return text.slice(0, 32 * 1024 * 1024)
}

test('redirects once at /redirect and endlessly at /loop', async () => {
  expect((await curl('--location', 'http://plain/redirect')).stdout).toContain('A page of the preset apache2.')
  const loop = await curl('--location', '--max-redirs', '5', 'http://plain/loop')
  expect(loop).toMatchObject({ exitCode: 47, stderr: expect.stringContaining('Maximum (5) redirects followed') })
})

test('answers TRACE only with its option', async () => {
  const trace = ['--request', 'TRACE', '--header', 'X-Word: back']
  expect(await status(...trace, 'http://plain/')).toBe('405')
  expect((await curl(...trace, 'http://more/')).stdout).toMatch(/^TRACE \/ HTTP\/1\.1\r\n[\s\S]*X-Word: back\r\n/)
})

test('speaks TLS with a certificate of the fleet, and HTTP/2', async () => {
  const version = ['--output', '/dev/null', '--write-out', '%{http_version} %{http_code}']
  expect((await curl(...version, 'https://more/a.txt')).stdout).toBe('2 200')
  expect((await curl(...version, '--http1.1', 'https://more/a.txt')).stdout).toBe('1.1 200')
  expect((await curl(...version, '--http2-prior-knowledge', 'http://more/a.txt')).stdout).toBe('2 200')
  const { TESTFLEET_CA_FILE = '', WEB_TLS_URL = '' } = session.variables
  const trusting = await session.host('curl', '--silent', '--cacert', TESTFLEET_CA_FILE, `${WEB_TLS_URL}/deep/b.txt`)
  expect(trusting.stdout).toBe('deep\n')
})

test("is not trusted by a client without the fleet's authority", async () => {
  expect(await curl(...trustOthers, 'https://more/a.txt')).toMatchObject({ exitCode: 60, stdout: '' })
  expect((await curl('https://plain/')).stderr).toContain('Failed to connect')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^http :80\/: /)
})
