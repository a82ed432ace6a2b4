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

test('connects to the server in the user name without options', async () => {
  const notice = await curl('--verbose', '--user', 'anonymous@ftp:x', 'ftp://plain:2121/pub/notice.txt')
  expect(notice.stdout).toBe('Take this and read it.\n')
  expect(notice.stderr).toMatch(/< 220 .*FTP server \(Version 1\.9[\s\S]*< 227 /)
  const active = await curl('--ftp-port', '-', '--user', 'anonymous@ftp:x', 'ftp://plain:2121/pub/notice.txt')
  expect(active.stdout).toBe('Take this and read it.\n')
})

test("passes on the server's answer to a password", async () => {
  const user = (password: string) => ['--user', `alice@ftp.${session.fleet.name}.test:${password}`]
  const right = user(await session.secret('ftp', 'PASSWORD'))
  const put = ['curl', '--silent', '--upload-file', '-', ...right, 'ftp://plain:2121/mine.txt']
  expect(await session.clientWith('mine\n', ...put)).toMatchObject({ exitCode: 0 })
  expect((await curl(...right, 'ftp://plain:2121/mine.txt')).stdout).toBe('mine\n')
  expect(await curl(...user('wrong'), 'ftp://plain:2121/mine.txt')).toMatchObject({ exitCode: 67, stdout: '' })
})

test('connects to the port in the user name', async () => {
  const script = 'open -u anonymous@ftp:21,x -p 2121 plain; cat pub/notice.txt'
  const { stdout } = await session.client('lftp', '-c', `set ftp:ssl-allow no; ${script}`)
  expect(stdout).toBe('Take this and read it.\n')
})

/** An FTP server inside the container of the proxy, at the loopback address: in no network of the fleet. */
const innerServer = `
  my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 2200, Listen => 5) or die;
  exit if fork;
  setpgrp;
  open(STDOUT, ">/dev/null");
  open(STDERR, ">&STDOUT");
  while (my $client = $server->accept) {
    print $client "220 of the inside\\r\\n";
    print $client "530 of the inside\\r\\n" while <$client>;
  }
`
const askInnerServer = 'print IO::Socket::INET->new("127.0.0.1:2200")->getline'

test('connects to nothing outside the fleet, neither by address nor by name', async () => {
  const perl = (script: string) =>
    session.fleet.done(['exec', 'plain', '--', 'perl', '-MIO::Socket::INET', '-e', script])
  await perl(innerServer)
  expect((await perl(askInnerServer)).stdout).toBe('220 of the inside\r\n')
  for (const host of ['127.0.0.1', 'localhost']) {
    const script = `debug 9; open -u x@${host}:2200,x -p 2121 plain; cat pub/notice.txt`
    const settings = 'set ftp:ssl-allow no; set net:timeout 5; set net:max-retries 1'
    const refused = await session.client('lftp', '-c', `${settings}; ${script}`)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain(`USER x@${host}:2200`)
    expect(refused.stderr).not.toContain('of the inside')
  }
  const { stdout } = await session.fleet.done(['logs', 'plain'])
  expect(stdout.match(/can't connect 127\.0\.0\.1:2200/g)).toHaveLength(2)
})

test('connects to the server of its option, from the network and from the host', async () => {
  const notice = ['--silent', '--disable-epsv', '--no-ftp-skip-pasv-ip', `${session.variables.MORE_URL}/pub/notice.txt`]
  expect((await session.host('curl', ...notice)).stdout).toBe('Take this and read it.\n')
  expect((await curl('--head', 'ftp://more:2121/pub/notice.txt')).stdout).toContain('Content-Length: 23')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('ftp :2121: does not answer')
})
