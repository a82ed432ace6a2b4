import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue, trustOthers } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'vsftpd' },
      more: {
        preset: 'vsftpd',
        options: { tls: true, users: { alice: { generate: 24 } }, seed: 'public', home: 'home', passivePorts: 1 },
      },
      rooted: {
        preset: 'vsftpd',
        options: { anonymousPassword: true, banner: 'a = b', root: 'root' },
        build: { run: ['chmod 0600 /srv/ftp/docs/closed.txt'] },
      },
      strict: {
        preset: 'vsftpd',
        options: { tls: true, requireTls: true, anonymous: false, passivePorts: 1, passiveAddress: '127.0.0.1' },
        ports: [21, { container: 30000, host: 30000 }],
        export: { STRICT_URL: 'ftp://${host}:${port.21}' },
      },
    },
    {
      'root/docs/open.txt': 'open\n',
      'root/docs/closed.txt': 'closed\n',
      'public/seed.txt': 'a seed\n',
      'home/start/first.txt': 'first\n',
    },
  )
})

afterAll(() => session.end())

const curl = (...words: string[]) => session.client('curl', '--silent', '--show-error', ...words)
const login = async (server: string, user = 'test', secret = 'PASSWORD') => [
  '--user',
  `${user}:${await session.secret(server, secret)}`,
]
const upload = (input: string, url: string, ...words: string[]) =>
  session.clientWith(input, 'curl', '--silent', '--show-error', '--upload-file', '-', ...words, url)

test('serves anonymous users without options, in passive and in active mode', async () => {
  expect((await curl('ftp://plain/pub/notice.txt')).stdout).toBe('Take this and read it.\n')
  expect((await curl('--disable-epsv', 'ftp://plain/pub/notice.txt')).stdout).toBe('Take this and read it.\n')
  expect((await curl('--ftp-port', '-', 'ftp://plain/pub/notice.txt')).stdout).toBe('Take this and read it.\n')
  const [, port] = /:(\d+)$/.exec(session.variables.FTP_URL ?? '') ?? []
  expect(port).toMatch(/^\d+$/)
})

test('can be reached under `join` by the exported address, whichever ports are published, with TLS too', async () => {
  const clients =
    'curl -sS "$TESTFLEET_PLAIN_FTP_URL/pub/notice.txt" && curl -sS --ssl-reqd "$TESTFLEET_MORE_FTP_URL/pub/seed.txt"'
  const { stdout } = await session.fleet.done(['join', '--', 'sh', '-c', clients])
  expect(stdout).toBe('Take this and read it.\na seed\n')
})

test('allows anonymous users to write in one folder, and denies them another', async () => {
  expect((await upload('up\n', 'ftp://plain/upload/a.txt')).exitCode).toBe(0)
  expect((await curl('ftp://plain/upload/a.txt')).stdout).toBe('up\n')
  expect((await curl('--quote', '-DELE /upload/a.txt', '--list-only', 'ftp://plain/upload/')).exitCode).toBe(0)
  expect((await curl('--list-only', 'ftp://plain/upload/')).stdout).toBe('')
  expect(await upload('up\n', 'ftp://plain/pub/a.txt')).toMatchObject({ exitCode: 25 })
  const unreadable = await curl('ftp://plain/unreadable/')
  expect(unreadable).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('denied you to change') })
})

test('has the folders of its options instead of /pub, with files that nobody may read', async () => {
  expect((await curl('--list-only', 'ftp://rooted/')).stdout).toBe('docs\nunreadable\nupload\n')
  expect((await curl('ftp://rooted/docs/open.txt')).stdout).toBe('open\n')
  const closed = await curl('--verbose', 'ftp://rooted/docs/closed.txt')
  expect(closed).toMatchObject({ exitCode: 78, stdout: '', stderr: expect.stringContaining('< 550 ') })
})

test('has the banner and the anonymous password prompt of its options', async () => {
  const greeting = async (server: string) => (await curl('--verbose', '--list-only', `ftp://${server}/`)).stderr
  expect(await greeting('plain')).toMatch(/< 220 \(vsFTPd [\d.]+\)[\s\S]*> USER anonymous\r?\n< 230 /)
  expect(await greeting('rooted')).toMatch(/< 220 a = b\r?\n> USER anonymous\r?\n< 331 .*\r?\n> PASS .*\r?\n< 230 /)
})

test('starts with its seed', async () => {
  expect((await curl('--list-only', 'ftp://more/pub/')).stdout).toBe('seed.txt\n')
  const alice = await login('more', 'alice', 'user.alice')
  expect((await curl(...alice, 'ftp://more/start/first.txt')).stdout).toBe('first\n')
})

test('gives each user a separate folder after a login with the right password', async () => {
  const [own, alice] = [await login('more'), await login('more', 'alice', 'user.alice')]
  expect((await upload('mine\n', 'ftp://more/mine.txt', ...own)).exitCode).toBe(0)
  expect((await curl(...own, 'ftp://more/mine.txt')).stdout).toBe('mine\n')
  expect(await curl(...alice, 'ftp://more/mine.txt')).toMatchObject({ exitCode: 78 })
  expect(await curl('--user', 'alice:wrong', 'ftp://more/')).toMatchObject({ exitCode: 67 })
  expect(await curl('--user', `alice:${await session.secret('more', 'PASSWORD')}`, 'ftp://more/')).toMatchObject({
    exitCode: 67,
  })
})

test('offers TLS with a certificate of the fleet', async () => {
  const secure = ['--ssl-reqd', 'ftp://more/pub/seed.txt']
  const told = await curl('--verbose', ...secure)
  expect(told.stdout).toBe('a seed\n')
  expect(told.stderr).toMatch(/< 234 [\s\S]*SSL certificate verify ok/)
  expect(await curl(...trustOthers, ...secure)).toMatchObject({ exitCode: 60, stdout: '' })
  expect(await curl('--ssl-reqd', 'ftp://plain/pub/notice.txt')).toMatchObject({ exitCode: 64 })
})

test('needs TLS for every login with its option', async () => {
  const user = await login('strict')
  expect(await curl(...user, 'ftp://strict/')).toMatchObject({ exitCode: 67 })
  expect(await curl('ftp://strict/')).toMatchObject({ exitCode: 67 })
  expect(await curl(...user, '--ssl-reqd', 'ftp://strict/')).toMatchObject({ exitCode: 0 })
})

test('can be reached from the host when its data port is published', async () => {
  const { STRICT_URL = '', TESTFLEET_CA_FILE = '' } = session.variables
  const secure = [...(await login('strict')), '--ssl-reqd', '--cacert', TESTFLEET_CA_FILE, '--no-ftp-skip-pasv-ip']
  const ask = (...words: string[]) => session.host('curl', '--silent', '--show-error', '--verbose', ...secure, ...words)
  expect((await ask(`${STRICT_URL}/`)).stderr).toMatch(/< 229 [\s\S]*< 226 /)
  expect((await ask('--disable-epsv', `${STRICT_URL}/`)).stderr).toMatch(/< 227 .*127,0,0,1,117,48[\s\S]*< 226 /)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('ftp :21: does not answer')
})

test('starts again in its own container, with the folders of its users as they were', async () => {
  expect((await upload('kept', 'ftp://plain/kept.txt', ...(await login('plain')))).exitCode).toBe(0)
  await session.fleet.done(['restart', 'plain'])
  expect((await curl('ftp://plain/kept.txt', ...(await login('plain')))).stdout).toBe('kept')
})
