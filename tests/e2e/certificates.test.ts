import { execFile } from 'node:child_process'
import { type KeyObject, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { findBundles, readBundle } from '../support/bundles.ts'
import { startFleet, Testfleet } from '../support/library.ts'
import { base, endFleets, makeFleet, type TestFleet } from '../support/test-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'
import { askOverTls, type TlsClient, type TlsTarget, tlsClients } from '../support/tls-clients.ts'

const key = '/run/testfleet/tls/key.pem'
const own = '/run/testfleet/tls/cert.pem'
const systemBundle = '/etc/ssl/certs/ca-certificates.crt'
const node = '/usr/local/bin/node'
/** The Node of these tests, as the base image has no program that speaks TLS and installing one takes long. */
const mounts = [{ from: process.execPath, to: node, outside: true }]
/** Without the authority that a container's variable gives to Node: as a server, it would send that one too. */
const unaided = ['env', '--unset=NODE_EXTRA_CA_CERTS']
/** What its image trusts before the fleet's authority is added. */
const build = { copy: [{ content: `${rootCertificates.slice(0, 2).join('\n')}\n`, to: systemBundle }] }

const serving = `
const { readFileSync } = require('node:fs')
const more = JSON.parse(process.argv[1])
if (more.requestCert) more.ca = readFileSync('/run/testfleet/tls/ca.pem')
const answer = (_, response) => response.setHeader('connection', 'close').end('hello')
require('node:https').createServer({ key: readFileSync('${key}'), cert: readFileSync('${own}'), ...more }, answer).listen(4433)
`
const idle = ['sleep', '600']
/** A program of this machine that says what a server answers at its name. */
const askingByName = `
fetch('https://' + process.env.TESTFLEET_GOOD_HOSTNAME + ':4433/')
  .then((response) => response.text(), ({ cause }) => cause)
  .then((answer) => console.log('app:', answer))
setInterval(() => {}, 60_000)
`
const tlsServer = (keys: object, more: object = {}): string =>
  JSON.stringify({
    image: base,
    init: true,
    mounts,
    command: [...unaided, node, '-e', serving, JSON.stringify(more)],
    ports: [4433],
    limits: { memory: '128m' },
    ...keys,
  })

const kinds = ['expired', 'notYetValid', 'wrongName', 'unknownCa', 'revoked', 'weakKey', 'missingIntermediate'] as const
const nameOf = (kind: string): string => kind.toLowerCase()
/** Only the wide tier asks the servers with these, and starts them then. */
const isRare = (kind: string): boolean => kind !== 'expired' && kind !== 'revoked'

let fleet: TestFleet
let other: TestFleet
let trusting: Record<string, string>
let trustingOther: Record<string, string>

beforeAll(async () => {
  fleet = await makeFleet([
    `good: ${tlsServer({ tls: true, user: 'www-data', aliases: ['good', 'pay', 'my_db', 'MyDB'] })}`,
    `mutual: ${tlsServer({ tls: true }, { requestCert: true, rejectUnauthorized: true })}`,
    ...kinds.map(
      (kind) => `${nameOf(kind)}: ${tlsServer({ tls: { certificate: kind } }, { ciphers: 'DEFAULT@SECLEVEL=0' })}`,
    ),
    `app: ${JSON.stringify({ process: [process.execPath, '-e', askingByName], dependsOn: ['good'], ready: [{ log: 'app: ' }] })}`,
    `rooted: ${JSON.stringify({ build, mounts, init: true, command: idle })}`,
    `shut: ${JSON.stringify({ image: base, mounts, init: true, command: idle, readOnly: true })}`,
  ])
  other = await makeFleet([`good: ${tlsServer({ tls: true })}`])
  const usual = ['app', 'good', 'mutual', 'rooted', 'shut', ...kinds.filter((kind) => !isRare(kind)).map(nameOf)]
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
    const refused = expect.stringMatching(/alert|required|reset|closed|unknown ca|hang up|empty reply|eof/i)
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
      const limits = ['--max-time', '60']
      const commands = {
        curl: [
          'curl',
          '-sS',
          ...urls.flatMap((url) => ['--next', ...limits, '--fail', '-o', '/dev/null', url]).slice(1),
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

test('a process reaches a server by its name, and trusts it', async () => {
  expect((await fleet.run(['logs', 'app'])).stdout).toContain('app: hello')
})

test('`--no-trust` omits the trust, also that of a surrounding call, and still tells where the authority is', async () => {
  const { stdout } = await fleet.run(['endpoints', '--format', 'json', '--no-trust'])
  expect(JSON.parse(stdout)).toMatchObject({ TESTFLEET_CA_FILE: trusting.TESTFLEET_CA_FILE })
  for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'])
    expect(JSON.parse(stdout)).not.toHaveProperty(name)
  const url = `https://good.${fleet.name}.test:4433/`
  const distrusting = ['join', '--quiet', '--no-trust', '--', 'curl', '-sS', '--max-time', '60', '-o', '/dev/null']
  const refused = { exitCode: 60, stderr: expect.stringContaining('unable to get local issuer certificate') }
  expect(await fleet.run([...distrusting, url], { env: trusting })).toMatchObject(refused)
  const own = ['--cacert', trusting.TESTFLEET_CA_FILE ?? '']
  expect(await fleet.run([...distrusting, ...own, url])).toMatchObject({ exitCode: 0 })
})

test('a global fleet with `trust: false` omits the trust, too', async () => {
  const program = `import { globalFleet } from ${JSON.stringify(join(import.meta.dirname, '../../dist/mocha.js'))}
    const { mochaGlobalTeardown } = await globalFleet(undefined, { trust: false })
    console.log(JSON.stringify(process.env))
    await mochaGlobalTeardown()`
  const env = { TESTFLEET_SESSION: trusting.TESTFLEET_SESSION, NODE_EXTRA_CA_CERTS: undefined }
  const prefix = [process.execPath, '--input-type=module', '-e', program]
  const { stdout, stderr } = await fleet.run([], { env, prefix, isBare: true })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({ TESTFLEET_CA_FILE: trusting.TESTFLEET_CA_FILE })
  expect(JSON.parse(stdout)).not.toHaveProperty('NODE_EXTRA_CA_CERTS')
})

describe.concurrent('a container', () => {
  const look = `
    const { readFileSync } = require('node:fs')
    const [host, file] = process.argv.slice(1)
    const ca = file === undefined ? undefined : readFileSync(file)
    require('node:tls')
      .connect({ host, port: 4433, servername: host, ca }, () => process.exit(0))
      .on('error', (error) => { console.error(error.message); process.exit(1) })`
  /** With the stores that OpenSSL knows, in place of the variable for Node alone. */
  const asking = [...unaided, node, '--use-openssl-ca', '-e', look]

  test('trusts the other servers by its own trust store: the file, and the folder of hashes', async () => {
    const good = `good.${fleet.name}.test`
    const from = (folder: string): string[] => ['env', `SSL_CERT_DIR=${folder}`, ...asking, good]
    await Promise.all([
      fleet.exec('mutual', ...asking, good, systemBundle),
      fleet.exec('mutual', ...from('/etc/ssl/certs')),
      fleet.exec('rooted', ...asking, good, systemBundle),
      fleet.exec('shut', ...asking, good),
      expect(fleet.exec('mutual', ...from('/srv'))).rejects.toThrow(
        /unable to (?:get local issuer|verify the first) certificate/,
      ),
    ])
    expect(await fleet.exec('rooted', 'grep', '-c', 'BEGIN', systemBundle)).toBe('3\n')
  })

  test('has a key that only the user of its server can read', async () => {
    expect(await fleet.exec('good', 'stat', '-c', '%n %a %U', key, own)).toBe(`${key} 600 www-data\n${own} 644 root\n`)
    const command = ['sh', '-c', `cat ${key} || echo no`]
    const asOther = await new Testfleet({ folder: fleet.folder }).exec('good', command, { user: 'nobody' })
    expect(asOther.stdout).toBe('no\n')
  })

  test('has the intermediate certificate that its server does not send', wide, async () => {
    await bringUp(fleet, [nameOf('missingIntermediate')])
    const [certificate, intermediate, authority] = await Promise.all(
      ['cert', 'intermediate', 'ca'].map(
        async (name) =>
          new X509Certificate(await fleet.exec('missingintermediate', 'cat', `/run/testfleet/tls/${name}.pem`)),
      ),
    )
    expect(certificate?.verify(intermediate?.publicKey as KeyObject)).toBe(true)
    expect(intermediate?.verify(authority?.publicKey as KeyObject)).toBe(true)
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
    await using secure = await startFleet(
      { name: fleet.name, servers: { idle: { image: base, command: idle, tls: true } } },
      { folder: fleet.folder },
    )
    expect(secure.caFile).toBe(secure.environment.TESTFLEET_CA_FILE)
    const { stdout } = await secure.server('idle').exec(['cat', '/run/testfleet/tls/ca.pem'])
    expect(secure.certificateAuthority).toBe(stdout)
  } finally {
    vi.unstubAllEnvs()
  }
})
