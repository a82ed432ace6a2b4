import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password \\ of älice`

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'prosody' },
      full: {
        preset: 'prosody',
        options: {
          domain: 'full.test',
          users: { 'a_lice.b': { file: 'alice.txt' } },
          registration: true,
          http: true,
          tls: true,
        },
        aliases: ['full.test'],
      },
    },
    { 'alice.txt': alicesPassword },
  )
})

afterAll(() => session.end())

/**
 * Logs in; says what it is told to, or enters a room as `me`; tells the first message, or why there is none. With a third
 * word it tells that one, and waits for no message.
 */
const slixmpp = `
import asyncio, sys, slixmpp
address, password, server, cover, *words = sys.argv[1:]
client = slixmpp.ClientXMPP(address, password)
client.ca_certs = '/etc/ssl/certs/ca-certificates.crt'
def tell(*words):
    print(*words, flush=True)
    client.disconnect()
def hear(message):
    if message['type'] == 'error': tell('error', message['from'], message['error']['condition'], message['error']['text'])
    elif message['body'] and message['mucnick'] != 'me': tell(message['type'], message['from'].bare, message['body'])
def begin(event):
    client.send_presence()
    if words[:1] == ['enter']: client['xep_0045'].join_muc(words[1], 'me')
    elif words: client.send_message(*words[:2], mtype='chat')
    if len(words) > 2: tell(words[2])
client.register_plugin('xep_0045')
client.add_event_handler('session_start', begin)
client.add_event_handler('message', hear)
client.add_event_handler('message_error', hear)
client.add_event_handler('failed_auth', lambda failure: tell('refused', failure['condition']))
client.add_event_handler('stream_error', lambda error: tell('closed', error['condition']))
client.connect((server, 5222), force_starttls=cover == 'starttls', disable_starttls=cover == 'none')
client.loop.run_until_complete(asyncio.wait_for(client.disconnected, 30))
`

interface Login {
  readonly address: string
  readonly password: string
  readonly at: readonly [server: string, cover: 'none' | 'starttls']
}

const talk = async ({ address, password, at }: Login, ...words: string[]): Promise<string> =>
  (await session.client('python3', '-c', slixmpp, address, password, ...at, ...words)).stdout

/** go-sendxmpp sends what it hears at its standard input. */
const send = ({ address, password, at }: Login, text: string, ...words: string[]) =>
  session.clientWith(text, 'go-sendxmpp', '-u', address, '-p', password, '-j', `${at[0]}:5222`, ...words)

const testOfPlain = async (): Promise<Login> => ({
  address: 'test@example.test',
  password: await session.secret('plain', 'PASSWORD'),
  at: ['plain', 'none'],
})

const testOfFull = async (): Promise<Login> => ({
  address: 'test@full.test',
  password: await session.secret('full', 'PASSWORD'),
  at: ['full', 'starttls'],
})

const alice: Login = { address: 'a_lice.b@full.test', password: alicesPassword, at: ['full', 'starttls'] }

const openStream = (domain: string): string =>
  `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

function addressOf(server: string, port: string): string {
  const { host, port: published } = session.published(server, port)
  return `${host}:${published}`
}

/** What the server says on this machine, until it has said this. */
async function sayFromHost(server: string, text: string, end: string): Promise<string> {
  const script = `exec 3<>"/dev/tcp/$1/$2"; printf %s "$3" >&3; heard=
    while [[ $heard != *"$4"* ]] && IFS= read -r -t 10 -d '>' piece <&3; do heard+="$piece>"; done; printf %s "$heard"`
  const { host, port } = session.published(server, '5222/tcp')
  return (await session.host('bash', '-c', script, 'say', host, port, text, end)).stdout
}

const startTls = () => [addressOf('full', '5222/tcp'), '-starttls', 'xmpp', '-xmpphost', 'full.test']
const directTls = () => [addressOf('full', '5223/tcp'), '-servername', 'full.test']

/** What OpenSSL of this machine, which knows the fleet by its arguments alone, finds of the certificate. */
const verify = async (how: readonly string[], ...words: string[]): Promise<string> => {
  const script = 'unset SSL_CERT_FILE; exec openssl s_client -brief -verify_return_error -connect "$@" < /dev/null'
  return (await session.host('sh', '-c', script, 'verify', ...how, ...words)).stderr
}

test('delivers a message without options, and can be reached from the host', async () => {
  const login = await testOfPlain()
  expect(await talk(login, 'test@example.test', 'hällo there')).toBe('chat test@example.test hällo there\n')
  const { XMPP_ADDRESS, XMPP_PASSWORD, XMPP_BOSH_URL } = session.variables
  expect({ XMPP_ADDRESS, XMPP_PASSWORD }).toEqual({ XMPP_ADDRESS: login.address, XMPP_PASSWORD: login.password })
  expect(XMPP_BOSH_URL).toMatch(/^http:/)
  const heard = await sayFromHost('plain', openStream('example.test'), '</stream:features>')
  expect(heard).toMatch(/<stream:features><mechanisms [^>]*><mechanism>SCRAM-SHA-1<\/mechanism><\/mechanisms><\/stream/)
})

test('delivers a message to another user at once, or later if the user is offline', async () => {
  const { address, password } = alice
  expect(await send(await testOfFull(), 'one\n', address)).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await talk(alice)).toBe('chat test@full.test one\n')
  const words = ['-u', address, '-p', password, '-j', 'full:5222']
  const listen = 'exec 3< <(exec timeout 30 go-sendxmpp --listen "$@"); read -r line <&3; kill $!; echo "$line"'
  const listening = session.client('bash', '-c', listen, 'listen', ...words)
  expect(await talk({ ...(await testOfFull()), at: ['full', 'none'] }, address, 'two', 'said')).toBe('said\n')
  expect((await listening).stdout).toMatch(/Z test@full\.test: two\n$/)
})

test('refuses a wrong password and an unknown domain', async () => {
  const login = await testOfPlain()
  expect(await talk({ ...login, password: 'wrong' })).toBe('refused not-authorized\n')
  expect(await talk({ ...login, address: 'nobody@example.test' })).toBe('refused not-authorized\n')
  expect(await talk({ ...alice, password: 'wrong' })).toBe('refused not-authorized\n')
  const wrong = await send({ ...(await testOfFull()), password: alicesPassword }, 'one\n', alice.address)
  expect(wrong.stderr).toContain('auth failure: Unable to authorize you with the authentication credentials')
  expect(await talk({ ...login, address: 'test@other.test' })).toBe('closed host-unknown\n')
})

test('creates a room when somebody enters it', async () => {
  const room = 'room@conference.full.test'
  const login = await testOfFull()
  let isHeard = false
  const heard = talk(alice, 'enter', room).finally(() => {
    isHeard = true
  })
  while (!isHeard) {
    const sent = await send(login, 'hello to all\n', '--chatroom', '--alias', 'tester', room)
    expect(sent).toMatchObject({ exitCode: 0, stderr: '' })
  }
  expect(await heard).toBe(`groupchat ${room} hello to all\n`)
})

test('does not connect to other servers', async () => {
  expect(await talk(await testOfPlain(), 'a@elsewhere.test', 'hello')).toBe(
    'error a@elsewhere.test not-allowed Communication with remote domains is not enabled\n',
  )
  const port = await session.client('nc', '-zv', '-w', '3', 'plain', '5269')
  expect(port).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Connection refused') })
})

test('allows creating an account only with `registration`', async () => {
  const carol: Login = { address: 'carol@full.test', password: 'sesame', at: alice.at }
  const ask = "<iq type='set' id='1'><query xmlns='jabber:iq:register'>"
  const request = `${ask}<username>carol</username><password>sesame</password></query></iq>`
  expect(await talk(carol)).toBe('refused not-authorized\n')
  expect(await sayFromHost('full', openStream('full.test') + request, "id='1'")).toMatch(/<iq [^>]*type='result'/)
  expect(await talk(carol, 'carol@full.test', 'it is me')).toBe('chat carol@full.test it is me\n')
  expect(await sayFromHost('plain', openStream('example.test') + request, '</iq>')).toMatch(
    /<iq [^>]*type='error'[^>]*><error type='cancel'><service-unavailable /,
  )
})

test("speaks TLS with the fleet's certificate, which is valid for the domain", async () => {
  // By the alias that the fleet gives to the domain: at this port, the domain is what a client has to ask for.
  const direct = ['--tls', '-j', 'full.test:5223', alice.address]
  expect(await send(await testOfFull(), 'by TLS\n', ...direct)).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await talk(alice)).toBe('chat test@full.test by TLS\n')
  const { TESTFLEET_CA_FILE = '', XMPP_TLS_SERVER } = session.variables
  expect(XMPP_TLS_SERVER).toBe(addressOf('full', '5223/tcp'))
  const name = session.report.servers.full?.hostname ?? ''
  for (const how of [startTls, directTls]) {
    for (const known of ['full.test', name])
      expect(await verify(how(), '-CAfile', TESTFLEET_CA_FILE, '-verify_hostname', known)).toContain(
        `Verification: OK\nVerified peername: ${known}\n`,
      )
    expect(await verify(how(), '-CAfile', TESTFLEET_CA_FILE, '-verify_hostname', 'other.test')).toContain(
      'verify error:num=62:hostname mismatch',
    )
  }
})

test("is not trusted by a client without the fleet's authority", async () => {
  const strangers = ['SSL_CERT_FILE=/etc/ssl/certs/ISRG_Root_X1.pem', 'SSL_CERT_DIR=/nowhere']
  const { address, password } = await testOfFull()
  for (const where of [['full:5222'], ['full.test:5223', '--tls']]) {
    const login = ['-u', address, '-p', password, '-j', ...where]
    const sent = await session.clientWith('x\n', 'env', ...strangers, 'go-sendxmpp', ...login, alice.address)
    expect(sent).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('signed by unknown authority') })
  }
  for (const how of [startTls, directTls])
    expect(await verify(how())).toContain('verify error:num=19:self-signed certificate in certificate chain')
  expect(await sayFromHost('plain', openStream('example.test'), '</stream:features>')).not.toContain('starttls')
})

test('accepts BOSH and WebSocket clients', async () => {
  const { XMPP_BOSH_URL = '', XMPP_WEBSOCKET_URL = '' } = session.variables
  const body = `<body rid='1' to='full.test' wait='5' hold='1' xmlns='http://jabber.org/protocol/httpbind' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>`
  const bosh = await session.host('curl', '--silent', '--data', body, XMPP_BOSH_URL)
  expect(bosh.stdout).toMatch(/^<body .*from='full\.test'.*<mechanism>SCRAM-SHA-1<\/mechanism>/)
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const headers = [...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: xmpp']
  const url = XMPP_WEBSOCKET_URL.replace('ws:', 'http:')
  const words = ['--silent', '--include', '--max-time', '2', ...headers.flatMap((header) => ['--header', header])]
  expect((await session.host('curl', ...words, url)).stdout).toMatch(
    /^HTTP\/1\.1 101 (?=[\s\S]*^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$)[\s\S]*^Sec-WebSocket-Protocol: xmpp\r$/m,
  )
  expect((await session.client('nc', '-zv', '-w', '3', 'plain', '5280')).stderr).toContain('Connection refused')
})

test('stores no password as plain text', async () => {
  const find = (text: string) => session.fleet.call(['exec', 'full', '--', 'grep', '-rlF', text, '/data'])
  expect((await find('stored_key')).stdout).toContain('/data/full%2etest/accounts/a%5flice%2eb.dat\n')
  expect(await find(alicesPassword)).toMatchObject({ exitCode: 1, stdout: '' })
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('xmpp :5222: does not answer')
})
