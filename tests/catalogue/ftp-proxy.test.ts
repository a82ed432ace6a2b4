import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    ftp: { preset: 'vsftpd', options: { user: 'alice' } },
    plain: { preset: 'ftp-proxy' },
    more: {
      preset: 'ftp-proxy',
      options: { server: 'ftp', passiveAddress: '127.0.0.1', passivePorts: 1 },
      ports: [2121, { container: 30100, host: 30100 }],
      export: { MORE_URL: 'ftp://${host}:${port.2121}' },
    },
  })
})

afterAll(() => session.end())

const curl = (...words: string[]) => session.client('curl', '--silent', '--show-error', ...words)

test('leads to the server that the user names, with no option at all', async () => {
  const notice = await curl('--verbose', '--user', 'anonymous@ftp:x', 'ftp://plain:2121/pub/notice.txt')
  expect(notice.stdout).toBe('Take this and read it.\n')
  expect(notice.stderr).toMatch(/< 220 .*FTP server \(Version 1\.9[\s\S]*< 227 /)
  const active = await curl('--ftp-port', '-', '--user', 'anonymous@ftp:x', 'ftp://plain:2121/pub/notice.txt')
  expect(active.stdout).toBe('Take this and read it.\n')
})

test("hands on that server's word on a password", async () => {
  const user = (password: string) => ['--user', `alice@ftp.${session.fleet.name}.test:${password}`]
  const right = user(await session.secret('ftp', 'PASSWORD'))
  const put = ['curl', '--silent', '--upload-file', '-', ...right, 'ftp://plain:2121/mine.txt']
  expect(await session.clientWith('mine\n', ...put)).toMatchObject({ exitCode: 0 })
  expect((await curl(...right, 'ftp://plain:2121/mine.txt')).stdout).toBe('mine\n')
  expect(await curl(...user('wrong'), 'ftp://plain:2121/mine.txt')).toMatchObject({ exitCode: 67, stdout: '' })
})

test('goes to a port that the user names', async () => {
  const script = 'open -u anonymous@ftp:21,x -p 2121 plain; cat pub/notice.txt'
  const { stdout } = await session.client('lftp', '-c', `set ftp:ssl-allow no; ${script}`)
  expect(stdout).toBe('Take this and read it.\n')
})

test('leads to the server that it was given, from the network and from the host', async () => {
  const notice = ['--silent', '--disable-epsv', '--no-ftp-skip-pasv-ip', `${session.variables.MORE_URL}/pub/notice.txt`]
  expect((await session.host('curl', ...notice)).stdout).toBe('Take this and read it.\n')
  expect((await curl('--head', 'ftp://more:2121/pub/notice.txt')).stdout).toContain('Content-Length: 23')
})

test('is not ready while it does not answer', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('ftp :2121: does not answer')
})
