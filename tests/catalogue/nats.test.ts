import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password \\ of alice`

beforeAll(async () => {
  session = await startCatalogue(
    {
      full: {
        preset: 'nats',
        options: {
          user: 'boss',
          users: { alice: { file: 'alice.txt' } },
          jetstream: true,
          maxPayload: 1024,
          tls: true,
        },
      },
      plain: { preset: 'nats' },
      open: { preset: 'nats', options: { login: false, jetstream: true } },
      tools: {
        build: { packages: ['python3', 'ca-certificates'] },
        command: ['sleep', '3600'],
        limits: { memory: '64m' },
      },
    },
    { 'alice.txt': alicesPassword },
  )
})

afterAll(() => session.end())

/** Debian has no client of NATS: its protocol consists of lines, which a small Python client sends. */
const client = `
import json, socket, ssl, sys
host, port, user, password, roots, *lines = sys.argv[1:]
plain = socket.create_connection((host, int(port)), 5)
def read_line(s):
    line = b''
    while not line.endswith(b'\\n'):
        byte = s.recv(1)
        if not byte: break
        line += byte
    return line.decode().rstrip()
info = json.loads(read_line(plain).split(' ', 1)[1])
print('max_payload', info['max_payload'], 'jetstream', info.get('jetstream', False))
s = plain
if roots:
    s = ssl.create_default_context(cafile=roots).wrap_socket(plain, server_hostname=host)
    print(s.version())
login = {'user': user, 'pass': password} if user else {}
def say(*lines):
    # In one packet: unread data when the server closes the connection would discard its last lines.
    s.sendall(''.join(line + '\\r\\n' for line in [*lines, 'PING']).encode())
    while True:
        line = read_line(s)
        if not line: sys.exit()
        if line == 'PONG': return
        print(line)
say('CONNECT ' + json.dumps({'verbose': False, 'lang': 'hand', 'version': '1', **login}))
say(*lines)
`

interface Place {
  readonly server: string
  readonly login?: readonly [user: string, password: string]
  readonly roots?: string
}

function say({ server, login = ['', ''], roots = '' }: Place, ...lines: string[]): Promise<CommandResult> {
  return session.fleet.call(['exec', 'tools', '--', 'python3', '-c', client, server, '4222', ...login, roots, ...lines])
}

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const said = await say({ server: 'plain', login: ['test', password] }, 'SUB greeting 1', 'PUB greeting 5', 'hello')
  expect(said.stdout).toBe('max_payload 1048576 jetstream False\nMSG greeting 1 5\nhello\n')
  const { NATS_URL, NATS_MONITORING_URL = '' } = session.variables
  expect(NATS_URL).toMatch(new RegExp(`^nats://test:${password}@127\\.0\\.0\\.1:\\d+$`))
  const page = await session.host('curl', '-sS', `${NATS_MONITORING_URL}/varz`)
  expect(JSON.parse(page.stdout)).toMatchObject({ auth_required: true, max_payload: 1048576 })
})

test('accepts the password of each user, and no other', async () => {
  const lines = ['SUB a 1', 'PUB a 2', 'hi'] as const
  const alice = await say({ server: 'full', login: ['alice', alicesPassword] }, ...lines)
  expect(alice.stdout).toContain('MSG a 1 2\nhi\n')
  for (const login of [
    ['alice', 'wrong'],
    ['carol', alicesPassword],
    ['', ''],
  ] as const)
    expect((await say({ server: 'full', login }, ...lines)).stdout).toContain("-ERR 'Authorization Violation'")
})

test('stores streams with its option', async () => {
  const login = ['boss', await session.secret('full', 'PASSWORD')] as const
  const stream = JSON.stringify({ name: 'ORDERS', subjects: ['orders.*'], storage: 'file', num_replicas: 1 })
  const create = ['SUB inbox 1', `PUB $JS.API.STREAM.CREATE.ORDERS inbox ${stream.length}`, stream]
  await say({ server: 'full', login }, ...create, 'PUB orders.1 5', 'nails')
  const page = await session.client('curl', '-sS', 'http://full:8222/jsz?streams=1')
  expect(JSON.parse(page.stdout)).toMatchObject({ streams: 1, messages: 1 })
})

test('refuses messages above the size of its option', async () => {
  const login = ['boss', await session.secret('full', 'PASSWORD')] as const
  expect((await say({ server: 'full', login }, 'PUB a 1025')).stdout).toContain("-ERR 'Maximum Payload Violation'")
})

test("offers TLS with a certificate of the fleet's authority", async () => {
  const login = ['boss', await session.secret('full', 'PASSWORD')] as const
  const lines = ['SUB a 1', 'PUB a 6', 'sealed'] as const
  const sealed = await say({ server: 'full', login, roots: '/etc/ssl/certs/ca-certificates.crt' }, ...lines)
  expect(sealed.stdout).toContain('TLSv1.3\nMSG a 1 6\nsealed\n')
  const refused = await say({ server: 'full', login, roots: '/etc/ssl/certs/ISRG_Root_X1.pem' }, ...lines)
  expect(refused.stderr).toContain('certificate verify failed')
})

test('needs no password with `login: false`', async () => {
  expect(session.variables.TESTFLEET_OPEN_NATS_URL).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/)
  const said = await say({ server: 'open' }, 'SUB greeting 1', 'PUB greeting 5', 'hello')
  expect(said.stdout).toBe('max_payload 1048576 jetstream True\nMSG greeting 1 5\nhello\n')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^(?:nats :4222|http :8222.*): does not answer/)
})
