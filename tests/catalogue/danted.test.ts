import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    dns: { preset: 'dnsmasq' },
    echo: { preset: 'echo' },
    ftp: { preset: 'vsftpd' },
    web: { preset: 'apache2', aliases: ['www.shop.example'] },
    plain: { preset: 'danted', export: { PLAIN_URL: 'socks5h://${host}:${port.1080}' } },
    more: { preset: 'danted', options: { users: { alice: { generate: 24 } }, domains: ['shop.example'] } },
  })
})

afterAll(() => session.end())

const page = 'A page of the preset apache2.'
const fetch = (proxy: string, url: string, ...words: string[]) =>
  session.client('curl', '--silent', '--show-error', '--proxy', proxy, ...words, url)
const login = async (user: string, secret: string) => [
  '--proxy-user',
  `${user}:${await session.secret('more', secret)}`,
]

test('connects to servers of the fleet without options, by name and by address', async () => {
  const address = session.report.servers.web?.ip ?? ''
  for (const host of [`web.${session.fleet.name}.test`, 'web', address]) {
    expect((await fetch('socks5h://plain:1080', `http://${host}/`)).stdout).toContain(page)
  }
  expect((await fetch('socks5://plain:1080', 'http://web/')).stdout).toContain(page)
})

test('accepts clients on the host, which cannot resolve those names', async () => {
  const ask = ['--silent', '--proxy', session.variables.PLAIN_URL ?? '', `http://web.${session.fleet.name}.test/`]
  expect((await session.host('curl', ...ask)).stdout).toContain(page)
})

test('connects to nothing outside the fleet', async () => {
  for (const host of ['127.0.0.1:1080', '192.0.2.1']) {
    const refused = await fetch('socks5h://plain:1080', `http://${host}/`)
    expect(refused).toMatchObject({ exitCode: 97, stdout: '', stderr: expect.stringMatching(/\(2\)/) })
  }
})

test('reports an unknown name, a closed port and an unused address with the right code', async () => {
  const unused = address('web').replace(/\d+$/, '250')
  const codes = { nosuch: 4, [`nosuch.${session.fleet.name}.test`]: 4, 'web:81': 5, [unused]: 4 }
  for (const [host, code] of Object.entries(codes))
    expect((await fetch('socks5h://plain:1080', `http://${host}/`)).stderr, host).toContain(`(${code})`)
})

test('accepts the password of each user on one port, and no other', async () => {
  const [proxy, web] = ['socks5h://more:1081', 'http://www.shop.example/']
  expect((await fetch(proxy, web, ...(await login('test', 'PASSWORD')))).stdout).toContain(page)
  expect((await fetch(proxy, web, ...(await login('alice', 'user.alice')))).stdout).toContain(page)
  expect(await fetch(proxy, web, ...(await login('alice', 'PASSWORD')))).toMatchObject({
    exitCode: 97,
    stderr: expect.stringContaining('User was rejected by the SOCKS5 server'),
  })
  expect(await fetch(proxy, web)).toMatchObject({
    exitCode: 97,
    stderr: expect.stringContaining('No authentication method was acceptable'),
  })
})

const address = (server: string) => session.report.servers[server]?.ip ?? ''

/** Runs a program that knows nothing of proxies with Dante's own client library. */
const socksify = (proxy: string, words: readonly string[], ...environment: string[]) => {
  const route = ['SOCKS_AUTOADD_LANROUTES=no', `SOCKS5_SERVER=${proxy}`]
  return session.client('env', ...route, ...environment, 'timeout', '50', 'socksify', ...words)
}

/** Says what PySocks gets back for a datagram. */
const sendDatagram = (proxy: string, port: string, host: string, ...login: string[]) => {
  const script = `
import socket, socks, sys
proxy, port, host, *login = sys.argv[1:]
client = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
client.set_proxy(socks.SOCKS5, proxy, int(port), True, *login)
client.settimeout(50)
client.sendto(b'hello', (host, 7))
print(client.recvfrom(100))
`
  return session.client('python3', '-c', script, proxy, port, host, ...login)
}

/** Says what IO::Socket::Socks gets from the connection that it had the proxy wait for, once somebody connects to it. */
const bind = (proxy: string, port: string, peer: string, ...login: string[]) => {
  const script = `
use IO::Socket::Socks qw(:constants $SOCKS_ERROR);
my ($proxy, $port, $peer, @login) = @ARGV;
my $socks = IO::Socket::Socks->new(
  SocksVersion => 5, ProxyAddr => $proxy, ProxyPort => $port, BindAddr => $peer, BindPort => 7000, Timeout => 50,
  @login ? (AuthType => 'userpass', Username => $login[0], Password => $login[1]) : (),
) or die "refused: $SOCKS_ERROR\n";
my ($host, $waiting) = $socks->dst;
my $caller = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $waiting) or die "not reached: $!\n";
$socks->accept or die "not accepted: $SOCKS_ERROR\n";
print $caller "hello of $host\n";
$caller->flush;
print scalar <$socks>;
`
  return session.client('perl', '-e', script, proxy, port, peer, ...login)
}

const ask = (server: string, name: string) => ['kdig', '+notcp', '+time=2', '+retry=0', `@${server}`, name]
const activeFtp = () => {
  const settings = 'set ftp:passive-mode no; set net:timeout 5; set net:max-retries 1'
  return ['lftp', '-c', `${settings}; debug 9; open ${address('ftp')}; cat pub/notice.txt`]
}

test('forwards datagrams (UDP ASSOCIATE), to a name and to an address', async () => {
  for (const host of ['echo', `echo.${session.fleet.name}.test`, address('echo')])
    expect((await sendDatagram('plain', '1080', host)).stdout).toBe(`(b'hello', ('${address('echo')}', 7))\n`)
  const answer = await socksify(`${address('plain')}:1080`, ask(address('dns'), 'www.example.test'))
  expect(answer.stdout).toMatch(/www\.example\.test\.\s+60\s+IN\s+A\s+192\.0\.2\.80\n/)
  const logged = (await session.fleet.done(['logs', 'plain'])).stdout
  expect(logged.match(/pass\(\d\): udp\/udpassociate/g)).toHaveLength(4)
})

test('forwards no datagram to an address outside the fleet', async () => {
  // At this address the engine answers each container, so the proxy's own too, when it is asked for a name.
  const resolver = '127.0.0.11'
  expect((await session.client(...ask(resolver, 'echo'))).stdout).toContain(address('echo'))
  const refused = await socksify(`${address('plain')}:1080`, ask(resolver, 'echo'))
  expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('response timeout') })
  expect((await session.fleet.done(['logs', 'plain'])).stdout).toMatch(
    /block\(\d\): udp\/udpassociate .* 127\.0\.0\.11\.53$/m,
  )
})

test('accepts a connection for a client (BIND) only from the expected peer', async () => {
  const proxy = address('plain')
  for (const peer of [address('clients'), 'clients'])
    expect((await bind('plain', '1080', peer)).stdout).toBe(`hello of ${proxy}\n`)
  for (const peer of [address('echo'), '127.0.0.1'])
    expect(await bind('plain', '1080', peer)).toMatchObject({ stdout: '', stderr: 'not accepted: Not allowed\n' })
  const notice = await socksify(`${proxy}:1080`, activeFtp())
  expect(notice.stdout).toBe('Take this and read it.\n')
  expect(notice.stderr).toContain(`PORT ${proxy.replaceAll('.', ',')},`)
})

test('needs the password for UDP ASSOCIATE and BIND as well', async () => {
  const proxy = `${address('more')}:1081`
  const [right, wrong] = [await session.secret('more', 'user.alice'), await session.secret('more', 'PASSWORD')]
  const environment = (password: string) => ['SOCKS_USERNAME=alice', `SOCKS_PASSWORD=${password}`]
  const question = ask(address('dns'), 'www.example.test')

  expect((await sendDatagram('more', '1081', 'echo', 'alice', right)).stdout).toContain("b'hello'")
  expect((await socksify(proxy, question, ...environment(right))).stdout).toContain('192.0.2.80')
  expect((await bind('more', '1081', 'clients', 'alice', right)).stdout).toBe(`hello of ${address('more')}\n`)
  expect((await socksify(proxy, activeFtp(), ...environment(right))).stdout).toBe('Take this and read it.\n')

  expect((await sendDatagram('more', '1081', 'echo', 'alice', wrong)).stderr).toContain('SOCKS5 authentication failed')
  expect((await socksify(proxy, question, ...environment(wrong))).stdout).not.toContain('192.0.2.80')
  expect(await bind('more', '1081', 'clients', 'alice', wrong)).toMatchObject({
    stdout: '',
    stderr: 'refused: Authentication failed with SOCKS5 proxy\n',
  })
  expect((await bind('more', '1081', 'clients')).stderr).toBe('refused: No valid auth mechanisms\n')
  expect((await socksify(proxy, activeFtp(), ...environment(wrong))).stdout).toBe('')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^socks5 :108\d: does not answer$/)
})
