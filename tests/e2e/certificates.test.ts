import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { findBundles, readBundle } from '../support/bundles.ts'
import { startFleet } from '../support/library.ts'
import { base, endFleets, makeFleet, type TestFleet } from '../support/test-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'
import { askOverTls, type TlsClient, type TlsTarget, tlsClients } from '../support/tls-clients.ts'

const build = { from: base, packages: ['ca-certificates', 'openssl'] }
const key = '/run/testfleet/tls/key.pem'
const own = '/run/testfleet/tls/cert.pem'
const serve = (...more: string[]): string[] => [
  ...['openssl', 's_server', '-accept', '4433', '-www', '-key', key, '-cert', own, '-cert_chain', own],
  ...more,
]
/** All of them are of one image, which is built once. */
let image: string
const tlsServer = (keys: object, ...more: string[]): string =>
  JSON.stringify({ image, command: serve(...more), ports: [4433], limits: { memory: '128m' }, ...keys })

const kinds = ['expired', 'notYetValid', 'wrongName', 'unknownCa', 'revoked', 'weakKey', 'missingIntermediate'] as const
const nameOf = (kind: string): string => kind.toLowerCase()
/** Only the wide tier asks the servers with these, and starts them then. */
const isRare = (kind: string): boolean => kind !== 'expired' && kind !== 'revoked'

let fleet: TestFleet
let other: TestFleet
let trusting: Record<string, string>
let trustingOther: Record<string, string>

beforeAll(async () => {
  const builder = await makeFleet([`all: ${JSON.stringify({ build })}`])
  const built = await builder.run(['build'], { timeoutMs: 240_000 })
  expect(built.exitCode, built.stderr).toBe(0)
  image = (await builder.listImages())[0] ?? ''
  fleet = await makeFleet([
    `good: ${tlsServer({ tls: true, user: 'www-data', aliases: ['good', 'pay', 'my_db', 'MyDB'] })}`,
    `mutual: ${tlsServer({ tls: true }, '-Verify', '2', '-verify_return_error', '-CAfile', '/run/testfleet/tls/ca.pem')}`,
    ...kinds.map(
      (kind) => `${nameOf(kind)}: ${tlsServer({ tls: { certificate: kind } }, '-cipher', 'DEFAULT@SECLEVEL=0')}`,
    ),
    `shut: ${JSON.stringify({ image, command: ['sleep', '600'], readOnly: true })}`,
  ])
  other = await makeFleet([`good: ${tlsServer({ tls: true })}`])
  const usual = ['good', 'mutual', 'shut', ...kinds.filter((kind) => !isRare(kind)).map(nameOf)]
  ;[trusting, trustingOther] = await Promise.all([bringUp(fleet, usual), bringUp(other)])
})

async function bringUp(one: TestFleet, servers: readonly string[] = []): Promise<Record<string, string>> {
  const result = await one.run(['up', ...servers], { timeoutMs: 240_000 })
  expect(result.exitCode, result.stderr).toBe(0)
  return readEnvironment(one)
}

afterAll(async () => {
  await Promise.all([fleet, other].map((one) => one.run(['down', '--quiet'])))
  await endFleets()
})

async function readEnvironment(one: TestFleet): Promise<Record<string, string>> {
  const { stdout, stderr, exitCode } = await one.run(['endpoints', '--format', 'json'])
  expect(exitCode, stderr).toBe(0)
  return JSON.parse(stdout)
}

function targetOf(server: string, environment: Record<string, string>): TlsTarget {
  const prefix = `TESTFLEET_${server.toUpperCase()}`
  const [host = '', port = '', name = ''] = ['HOST', 'PORT', 'HOSTNAME'].map((what) => environment[`${prefix}_${what}`])
  return { host, port, name }
}

/** What each of the four clients makes of a server. */
async function askAll(target: TlsTarget, env: Record<string, string>): Promise<Record<TlsClient, string>> {
  const clients = Object.keys(tlsClients) as TlsClient[]
  const verdicts = await Promise.all(
    clients.map(async (client) => [client, await askOverTls(client, target, env)] as const),
  )
  return Object.fromEntries(verdicts) as Record<TlsClient, string>
}

const all = (verdict: unknown) => ({ curl: verdict, openssl: verdict, node: verdict, python: verdict })
const withoutClient = ({ TESTFLEET_CLIENT_CERT_FILE, TESTFLEET_CLIENT_KEY_FILE, ...rest }: Record<string, string>) =>
  rest

/** The words of each client for the reason; they share OpenSSL's. */
const reasons: Record<(typeof kinds)[number], object> = {
  expired: all(expect.stringMatching(/certificate has expired/i)),
  notYetValid: all(expect.stringMatching(/certificate is not yet valid/i)),
  wrongName: {
    curl: expect.stringContaining('no alternative certificate subject name matches'),
    openssl: expect.stringMatching(/hostname mismatch/i),
    node: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    python: expect.stringContaining('Hostname mismatch'),
  },
  unknownCa: all(expect.stringMatching(/self[- ]signed certificate in certificate chain/i)),
  revoked: all(expect.stringMatching(/certificate revoked/i)),
  weakKey: all(expect.stringMatching(/EE certificate key too weak|EE_KEY_TOO_SMALL/i)),
  missingIntermediate: {
    ...all(expect.stringMatching(/unable to get local issuer certificate/i)),
    node: expect.stringContaining('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  },
}

describe.concurrent('curl, openssl, Node and Python', () => {
  test("trust a good certificate by the fleet's authority, and by no other authority", async () => {
    const target = targetOf('good', trusting)
    expect(await askAll(target, trusting)).toEqual(all('accepted'))
    expect(await askAll(target, { ...trusting, CHECK_CRL: '1' })).toEqual(all('accepted'))
    const unknown = expect.stringMatching(/unable to get local issuer|UNABLE_TO_VERIFY_LEAF_SIGNATURE/i)
    expect(await askAll(target, {})).toEqual(all(unknown))
    expect(await askAll(target, trustingOther)).toEqual(all(unknown))
  })

  for (const kind of kinds) {
    test(`refuse a certificate that is ${kind}, and say so`, wideIf(isRare(kind)), async () => {
      const known = isRare(kind) ? await bringUp(fleet, [nameOf(kind)]) : trusting
      const target = targetOf(nameOf(kind), known)
      const env = kind === 'revoked' ? { ...known, CHECK_CRL: '1' } : known
      expect(await askAll(target, env)).toEqual(reasons[kind])
    })
  }

  test("are accepted with the fleet's client certificate, and with no other", async () => {
    const target = targetOf('mutual', trusting)
    expect(await askAll(target, trusting)).toEqual(all('accepted'))
    const refused = expect.stringMatching(/alert|required|reset|closed|unknown ca|hang up/i)
    expect(await askAll(target, withoutClient(trusting))).toEqual(all(refused))
    const { TESTFLEET_CLIENT_CERT_FILE = '', TESTFLEET_CLIENT_KEY_FILE = '' } = trustingOther
    const foreign = { ...trusting, TESTFLEET_CLIENT_CERT_FILE, TESTFLEET_CLIENT_KEY_FILE }
    expect(await askAll(target, foreign)).toEqual(all(refused))
  })
})

// That each of them knows names, and trusts, is tested by itself.
for (const client of ['curl', 'node', 'python'] as const)
  test(
    `${client} reaches a server under \`join\` by its bare name and its aliases, with and without the domain, and trusts it`,
    wideIf(client !== 'curl'),
    async () => {
      const domain = `${fleet.name}.test`
      const names = ['good', `good.${domain}`, 'pay', `pay.${domain}`, `my_db.${domain}`, 'mydb', `MYDB.${domain}`]
      const urls = names.map((name) => `https://${name}:4433/`)
      const commands = {
        curl: [
          'curl',
          '-sS',
          '--fail',
          '-o',
          '/dev/null',
          ...urls.flatMap((url) => ['--next', '-o', '/dev/null', url]).slice(3),
        ],
        node: [process.execPath, '-e', 'Promise.all(process.argv.slice(1).map((url) => fetch(url)))', ...urls],
        python: [
          '/usr/bin/python3',
          '-c',
          'import sys, urllib.request\nfor url in sys.argv[1:]: urllib.request.urlopen(url)',
          ...urls,
        ],
      }
      expect(await fleet.run(['join', '--quiet', '--', ...commands[client]])).toMatchObject({ exitCode: 0, stderr: '' })
    },
  )

test('`--no-trust` omits the trust, also that of a surrounding call, and still tells where the authority is', async () => {
  const { stdout } = await fleet.run(['endpoints', '--format', 'json', '--no-trust'])
  expect(JSON.parse(stdout)).toMatchObject({ TESTFLEET_CA_FILE: trusting.TESTFLEET_CA_FILE })
  for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'])
    expect(JSON.parse(stdout)).not.toHaveProperty(name)
  const url = `https://good.${fleet.name}.test:4433/`
  const distrusting = ['join', '--quiet', '--no-trust', '--', 'curl', '-sS', '-o', '/dev/null']
  const refused = { exitCode: 60, stderr: expect.stringContaining('unable to get local issuer certificate') }
  expect(await fleet.run([...distrusting, url], { env: trusting })).toMatchObject(refused)
  const own = ['--cacert', trusting.TESTFLEET_CA_FILE ?? '']
  expect(await fleet.run([...distrusting, ...own, url])).toMatchObject({ exitCode: 0 })
})

describe.concurrent('a container', () => {
  const look = 'openssl s_client -connect "$0" -verify_hostname "${0%:*}" -verify_return_error < /dev/null'

  test.each(['mutual', 'shut'])('trusts the other servers by its own trust store (%s)', async (server) => {
    const { exitCode, stdout } = await fleet.run([
      ...['exec', server, '--', 'sh', '-c', look, `good.${fleet.name}.test:4433`],
    ])
    expect(stdout).toContain('Verify return code: 0 (ok)')
    expect(exitCode).toBe(0)
  })

  test('has a key that only the user of its server can read', async () => {
    const list = ['exec', 'good', '--', 'stat', '-c', '%n %a %U', key, own]
    const { stdout } = await fleet.run(list)
    expect(stdout).toBe(`${key} 600 www-data\n${own} 644 root\n`)
    const { stdout: asOther } = await fleet.run([
      'exec',
      '--user',
      'nobody',
      'good',
      '--',
      'sh',
      '-c',
      `cat ${key} || echo no`,
    ])
    expect(asOther).toBe('no\n')
  })

  test('has the intermediate certificate that its server does not send', wide, async () => {
    await bringUp(fleet, [nameOf('missingIntermediate')])
    const { stdout } = await fleet.run([
      'exec',
      'missingintermediate',
      '--',
      'sh',
      '-c',
      'cd /run/testfleet/tls && openssl verify -CAfile ca.pem -untrusted intermediate.pem cert.pem',
    ])
    expect(stdout).toBe('cert.pem: OK\n')
  })
})

test('the files for clients are valid, and only their owner can read them', async () => {
  for (const name of ['TESTFLEET_CA_FILE', 'TESTFLEET_CRL_FILE', 'TESTFLEET_CLIENT_KEY_FILE', 'SSL_CERT_FILE'])
    expect((await stat(trusting[name] ?? '')).mode & 0o777, name).toBe(0o600)
  const { TESTFLEET_CA_FILE: authority = '', TESTFLEET_CRL_FILE: list = '' } = trusting
  const { stderr } = await promisify(execFile)('openssl', ['crl', '-in', list, '-CAfile', authority, '-noout'])
  expect(stderr).toBe('verify OK\n')
})

test('another machine gets the authority that the containers use', async () => {
  const env = { TESTFLEET_STATE_DIR: join(fleet.folder, 'elsewhere') }
  const { stdout } = await fleet.run(['endpoints', '--format', 'json'], { env })
  const { TESTFLEET_CA_FILE: found = '', TESTFLEET_CLIENT_KEY_FILE } = JSON.parse(stdout)
  expect(found).toContain('/elsewhere/')
  expect(await readFile(found, 'utf8')).toBe(await readFile(trusting.TESTFLEET_CA_FILE ?? '', 'utf8'))
  expect(TESTFLEET_CLIENT_KEY_FILE).toBeUndefined()
})

test('a second up changes nothing, and a private key that a server logs is masked', async () => {
  const { stderr } = await other.run(['up'])
  expect(stderr).toContain('good: ready (unchanged)')
  await other.rewrite([`talker: ${tlsServer({ tls: true, command: ['sh', '-c', `cat ${key}; exit 9`] })}`])
  const result = await other.run(['run', '--verbose', '--', 'true'])
  expect(result.exitCode).toBe(1)
  const [folder = ''] = await findBundles(join(other.folder, 'tmp'))
  const texts = [result.stdout, result.stderr, ...Object.values(await readBundle(folder))]
  expect(texts.join('\n')).toContain('-----BEGIN PRIVATE KEY-----')
  for (const text of texts) expect(text).not.toMatch(/^.*MIGHAgEA.*$/m)
  const authority = new X509Certificate(await readFile(trustingOther.TESTFLEET_CA_FILE ?? ''))
  expect(authority.ca).toBe(true)
})

test('the library returns the authority of a fleet', async () => {
  vi.stubEnv('TESTFLEET_STATE_DIR', join(fleet.folder, 'library'))
  try {
    const idle = { image: base, command: ['sleep', '600'] }
    await using secure = await startFleet(
      { name: fleet.name, servers: { idle: { ...idle, tls: true } } },
      { folder: fleet.folder },
    )
    expect(secure.caFile).toBe(secure.environment.TESTFLEET_CA_FILE)
    const { stdout } = await secure.server('idle').exec(['cat', '/run/testfleet/tls/ca.pem'])
    expect(secure.certificateAuthority).toBe(stdout)
  } finally {
    vi.unstubAllEnvs()
  }
})
