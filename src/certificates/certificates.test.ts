import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkServerIdentity, connect, createServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { stateFolder } from '../files/state-folder.ts'
import { type CertificateKind, certificateKinds } from '../model/certificate.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { ensureAuthority, findAuthority, findClientFiles, storeForeign } from './authority-store.ts'
import { clientEnvironment } from './client-environment.ts'
import { type Authority, makeServerCertificate } from './make-certificates.ts'

const DAY_MS = 24 * 3_600_000
const names = ['web.shop.test', 'web', 'localhost', '*.api.test', '127.0.0.1', '::1', '2001:db8::ff:0']
const fleet = { name: 'shop', folder: '/projects/shop', names: [...names, 'wrong-name.invalid'] }

let folder: string
let host: Host
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certificates-'))
  host = { ...currentHost(), environment: { TESTFLEET_STATE_DIR: join(folder, 'state') } }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function make(kind: CertificateKind, authority: Authority) {
  const { key, chain, intermediate } = await makeServerCertificate({ kind, names }, authority)
  const [own = '', ...above] = chain.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----\n/g) ?? []
  return { key, own: new X509Certificate(own), above: above.map((pem) => new X509Certificate(pem)), intermediate }
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

describe('a certificate', () => {
  let authority: Authority
  let root: X509Certificate
  beforeEach(async () => {
    authority = await ensureAuthority(fleet, host)
    root = new X509Certificate(authority.files.certificate)
  })

  test('is valid for its names and addresses, for as long as its authority, and is not an authority', async () => {
    const { own, above, key } = await make('valid', authority)
    expect(own.subjectAltName?.split(', ')).toEqual([
      'DNS:web.shop.test',
      'DNS:web',
      'DNS:localhost',
      'DNS:*.api.test',
      'IP Address:127.0.0.1',
      'IP Address:0:0:0:0:0:0:0:1',
      'IP Address:2001:DB8:0:0:0:0:FF:0',
    ])
    expect(above).toEqual([])
    expect([own.ca, root.ca]).toEqual([false, true])
    expect(isSignedBy(own, root)).toBe(true)
    expect(isSignedBy(root, root)).toBe(true)
    expect(own.validToDate).toEqual(root.validToDate)
    expect(own.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(own.checkHost('other.shop.test')).toBeUndefined()
    expect(key).toContain('BEGIN PRIVATE KEY')
  })

  test('is invalid in exactly the requested way', async () => {
    const kinds = certificateKinds.filter((kind) => kind !== 'valid')
    const made = await Promise.all(kinds.map(async (kind) => [kind, await make(kind, authority)] as const))
    const now = Date.now()
    const facts = made.map(([kind, { own, above }]) => [
      kind,
      {
        isNow: own.validFromDate.getTime() <= now && now < own.validToDate.getTime(),
        isNamed: own.checkHost('web.shop.test') !== undefined,
        isSigned: isSignedBy(own, root),
        isStrong: own.publicKey.asymmetricKeyType === 'ec',
        sent: above.length,
      },
    ])
    const good = { isNow: true, isNamed: true, isSigned: true, isStrong: true, sent: 0 }
    expect(Object.fromEntries(facts)).toEqual({
      expired: { ...good, isNow: false },
      notYetValid: { ...good, isNow: false },
      wrongName: { ...good, isNamed: false },
      unknownCa: { ...good, isSigned: false, sent: 1 },
      revoked: good,
      weakKey: { ...good, isStrong: false },
      missingIntermediate: { ...good, isSigned: false },
    })
    const { own, intermediate = '' } = new Map(made).get('missingIntermediate') ?? (await make('valid', authority))
    expect(isSignedBy(own, new X509Certificate(intermediate))).toBe(true)
    expect(isSignedBy(new X509Certificate(intermediate), root)).toBe(true)
  })
})

describe('the state folder', () => {
  test('is readable only by its owner, and contains only the necessary files', async () => {
    const { fingerprint } = await ensureAuthority(fleet, host)
    const state = join(folder, 'state')
    const paths = await readdir(state, { recursive: true, withFileTypes: true })
    const modes = await Promise.all(
      paths.map(async (entry) => [
        entry.isDirectory() ? 'folder' : 'file',
        (await stat(join(entry.parentPath, entry.name))).mode & 0o777,
      ]),
    )
    expect(new Set(modes.map(String))).toEqual(new Set([`folder,${0o700}`, `file,${0o600}`]))
    expect((await stat(state)).mode & 0o777).toBe(0o700)
    expect((await readdir(join(state, 'authorities', fingerprint))).sort()).toEqual([
      'ca-key.pem',
      'ca.pem',
      'client-key.pem',
      'client.pem',
      'crl.pem',
    ])
  })

  test('has one authority for concurrent calls, and another one for another fleet', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureAuthority(fleet, host)))
    expect(new Set(made.map(({ fingerprint }) => fingerprint)).size).toBe(1)
    expect(await readdir(join(folder, 'state/authorities'))).toHaveLength(1)
    const other = await ensureAuthority({ ...fleet, folder: '/projects/other' }, host)
    expect(other.fingerprint).not.toBe(made[0]?.fingerprint)
  })

  test('gets a new authority when less than a third of its lifetime is left, and drops expired ones', async () => {
    const now = Date.now()
    const first = await ensureAuthority(fleet, host, now)
    expect((await ensureAuthority(fleet, host, now + 19 * DAY_MS)).fingerprint).toBe(first.fingerprint)
    expect(await findAuthority(fleet, host, now + 21 * DAY_MS)).toBeUndefined()
    const second = await ensureAuthority(fleet, host, now + 21 * DAY_MS)
    expect(second.fingerprint).not.toBe(first.fingerprint)
    // Servers with the first authority are still trusted.
    expect(await findClientFiles(first.fingerprint, host)).toBeDefined()
    const third = await ensureAuthority(fleet, host, now + 45 * DAY_MS)
    expect((await readdir(join(folder, 'state/authorities'))).sort()).toEqual(
      [second.fingerprint, third.fingerprint].sort(),
    )
  })

  test('replaces removed files', async () => {
    const first = await ensureAuthority(fleet, host)
    await rm(join(folder, 'state/authorities', first.fingerprint), { recursive: true })
    expect((await ensureAuthority(fleet, host)).fingerprint).not.toBe(first.fingerprint)
  })

  test('fails with a hint when it cannot be created', async () => {
    await writeFile(join(folder, 'state'), '')
    const failure = await ensureAuthority(fleet, host).catch((error: unknown) => error)
    expect(isFailure(failure, 'STATE_FOLDER_UNUSABLE')).toBe(true)
    expect((failure as Error).message).toContain(join(folder, 'state'))
  })

  test('is at the place that the user or the system chooses', () => {
    const at = (environment: Record<string, string>, platform: NodeJS.Platform = 'linux') =>
      stateFolder({ ...host, environment, platform, homeFolder: '/home/ann', workingFolder: '/work' })
    expect(at({})).toBe('/home/ann/.local/state/testfleet')
    expect(at({ XDG_STATE_HOME: '/state' })).toBe('/state/testfleet')
    expect(at({ XDG_STATE_HOME: 'relative' })).toBe('/home/ann/.local/state/testfleet')
    expect(at({ XDG_STATE_HOME: '/state', TESTFLEET_STATE_DIR: 'here' })).toBe('/work/here')
    expect(at({}, 'darwin')).toBe('/home/ann/Library/Application Support/testfleet')
  })
})

/**
 * Returns the error code of a client that trusts only this authority and connects by that name; undefined on success.
 */
async function judge(name: string, authority: Authority): Promise<string | undefined> {
  const { key, chain: cert } = await makeServerCertificate({ kind: 'valid', names: ['web.shop.test', name] }, authority)
  const server = createServer({ key, cert }, (socket) => socket.on('error', () => {}).end())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const servername = isIP(name) === 0 ? name : ''
  const client = connect({
    host: '127.0.0.1',
    port,
    servername,
    ca: authority.files.certificate,
    checkServerIdentity: (_, peer) => checkServerIdentity(name, peer),
    rejectUnauthorized: false,
  })
  await once(client, 'secureConnect')
  const verdict = client.authorized ? undefined : String(client.authorizationError)
  client.destroy()
  server.close()
  return verdict
}

describe('an authority signs only for its own names', () => {
  test.each(['web.shop.test', 'api.shop.test', 'web', 'localhost', 'x.api.test', '127.0.0.1', '2001:db8::ff:0'])(
    'such as %s',
    async (name) => {
      expect(
        await judge(name, await ensureAuthority({ ...fleet, names: [...names, 'shop.test'] }, host)),
      ).toBeUndefined()
    },
  )

  test.each(['api.github.com', 'x.web', 'ashop.test', 'test', '10.0.0.1', '::2', '127.0.0.2'])(
    'and not for %s, even with its key in other hands',
    async (name) => {
      const authority = await ensureAuthority({ ...fleet, names: [...names, 'shop.test'] }, host)
      // Node's name for OpenSSL's "permitted or excluded subtree violation".
      expect(await judge(name, authority)).toBe('UNSPECIFIED')
    },
  )

  test('so a fleet with new names gets another authority, and with its old names the old one', async () => {
    const first = await ensureAuthority(fleet, host)
    const more = await ensureAuthority({ ...fleet, names: [...fleet.names, 'mail.shop.test'] }, host)
    expect(more.fingerprint).not.toBe(first.fingerprint)
    expect((await ensureAuthority(fleet, host)).fingerprint).toBe(first.fingerprint)
  })
})

describe('clients', () => {
  test('trust the fleet in addition to everything they trusted before', async () => {
    const authority = await ensureAuthority(fleet, host)
    const files = await findClientFiles(authority.fingerprint, host)
    if (files === undefined) throw new Error('no files')
    const roots = join(folder, 'roots.pem')
    await writeFile(roots, 'the roots of the caller')
    const given = await clientEnvironment(files, {
      ...host,
      environment: { ...host.environment, SSL_CERT_FILE: roots },
    })
    expect(Object.keys(given).sort()).toEqual([
      'CURL_CA_BUNDLE',
      'NODE_EXTRA_CA_CERTS',
      'REQUESTS_CA_BUNDLE',
      'SSL_CERT_FILE',
      'TESTFLEET_CA_FILE',
      'TESTFLEET_CLIENT_CERT_FILE',
      'TESTFLEET_CLIENT_KEY_FILE',
      'TESTFLEET_CRL_FILE',
    ])
    expect(given.NODE_EXTRA_CA_CERTS).toBe(given.TESTFLEET_CA_FILE)
    expect(await readFile(given.TESTFLEET_CA_FILE ?? '', 'utf8')).toBe(authority.files.certificate)
    for (const name of ['SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'])
      expect(await readFile(given[name] ?? '', 'utf8')).toBe(`the roots of the caller\n${authority.files.certificate}`)
    const client = new X509Certificate(await readFile(given.TESTFLEET_CLIENT_CERT_FILE ?? ''))
    expect(isSignedBy(client, new X509Certificate(authority.files.certificate))).toBe(true)
  })

  test('on another machine trust the certificate in a container if its label confirms it', async () => {
    const { files, fingerprint } = await ensureAuthority(fleet, host)
    const elsewhere = { ...host, environment: { TESTFLEET_STATE_DIR: join(folder, 'elsewhere') } }
    expect(await storeForeign(files, '0'.repeat(64), elsewhere)).toBe(false)
    expect(await findClientFiles(fingerprint, elsewhere)).toBeUndefined()
    expect(await storeForeign(files, fingerprint, elsewhere)).toBe(true)
    expect(await findClientFiles(fingerprint, elsewhere)).toMatchObject({ certificate: undefined, key: undefined })
  })

  test('on another machine trust only that certificate, and no other one in the same file', async () => {
    const { files, fingerprint } = await ensureAuthority(fleet, host)
    const evil = await ensureAuthority({ ...fleet, name: 'evil' }, host)
    const elsewhere = { ...host, environment: { TESTFLEET_STATE_DIR: join(folder, 'elsewhere') } }
    const beside = (own: string, other: string) => `a comment\n${own}\n${other}`
    const shown = {
      certificate: beside(files.certificate, evil.files.certificate),
      revocationList: beside(files.revocationList, evil.files.revocationList),
    }
    expect(await storeForeign(shown, fingerprint, elsewhere)).toBe(true)
    const kept = await findClientFiles(fingerprint, elsewhere)
    expect(await readFile(kept?.authority ?? '', 'utf8')).toBe(files.certificate)
    expect(await readFile(kept?.revocationList ?? '', 'utf8')).toBe(files.revocationList)
  })

  test('on another machine reject invalid data, and revocation lists that the authority has not signed', async () => {
    const { files, fingerprint } = await ensureAuthority(fleet, host)
    const other = await ensureAuthority({ ...fleet, name: 'other' }, host)
    const elsewhere = { ...host, environment: { TESTFLEET_STATE_DIR: join(folder, 'elsewhere') } }
    const cut = files.revocationList.replace(/\n[^\n]+\n-----END/, '\n-----END')
    for (const revocationList of [other.files.revocationList, '', cut, files.certificate])
      expect(await storeForeign({ ...files, revocationList }, fingerprint, elsewhere)).toBe(false)
    expect(await storeForeign({ ...files, certificate: 'nonsense' }, fingerprint, elsewhere)).toBe(false)
    expect(await findClientFiles(fingerprint, elsewhere)).toBeUndefined()
  })
})
