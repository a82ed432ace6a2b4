import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditFleet } from '../audit/audit.ts'
import { ensureAuthority } from '../certificates/authority-store.ts'
import { makeServerCertificate } from '../certificates/make-certificates.ts'
import { currentHost } from '../current-host.ts'
import { readOwnCertificate } from '../files/own-certificate.ts'
import type { CertificateKind } from '../model/certificate.ts'
import type { Fleet } from '../model/fleet.ts'
import { digestMounts } from '../servers/mount-digests.ts'
import { loadFleet } from './load-fleet.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-certificate-'))
  const host = { ...currentHost(), environment: { TESTFLEET_STATE_DIR: join(folder, 'state') } }
  const names = ['web.own.test', 'wrong-name.invalid']
  const authority = await ensureAuthority({ name: 'own', folder, names }, host)
  const write = async (name: string, kind: CertificateKind): Promise<void> => {
    const { key, chain } = await makeServerCertificate({ kind, names: ['web.own.test'] }, authority)
    await writeFile(join(folder, `${name}.pem`), chain)
    await writeFile(join(folder, `${name}.key`), key)
  }
  await Promise.all([
    write('web', 'valid'),
    write('old', 'expired'),
    write('other', 'wrongName'),
    write('later', 'notYetValid'),
  ])
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  })
  await writeFile(join(folder, 'locked.key'), privateKey)
  await writeFile(join(folder, 'ca.pem'), authority.files.certificate)
  await writeFile(join(folder, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  await writeFile(join(folder, 'text.txt'), 'hello')
  await writeFile(join(folder, 'long.pem'), 'x'.repeat(300 * 1024))
  await mkdir(join(folder, 'certs'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function load(tls: string, more = 'image: a'): Promise<Fleet> {
  await writeFile(join(folder, 'testfleet.yaml'), `name: own\nservers:\n  web: { ${more}, tls: ${tls} }\n`)
  return loadFleet({ kind: 'file', named: undefined }, { ...currentHost(), workingFolder: folder })
}

const mistakeOf = (tls: string, more?: string): Promise<string> =>
  load(tls, more).then(
    () => 'no mistake',
    (error: Error) => error.message,
  )

describe('a certificate of the user', () => {
  test('is delivered with its key, and clients trust its authorities', async () => {
    const fleet = await load('{ certificate: web.pem, key: web.key, ca: ca.pem }')
    const own = fleet.servers.get('web')?.tls?.own
    if (own === undefined) throw new Error('it has none')
    const { key, chain, authorities } = await readOwnCertificate(own)
    expect(key).toContain('PRIVATE KEY')
    expect(chain).toContain('CERTIFICATE')
    expect(authorities).toContain('CERTIFICATE')
  })

  test('is compared by its content', async () => {
    const server = (await load('{ certificate: web.pem, key: web.key }')).servers.get('web')
    if (server === undefined) throw new Error('it is not there')
    const before = await digestMounts(server, folder)
    expect(Object.keys(before).sort()).toEqual(['web.key', 'web.pem'])
    await writeFile(join(folder, 'web.pem'), '\n', { flag: 'a' })
    const after = await digestMounts(server, folder)
    expect([after['web.pem'] === before['web.pem'], after['web.key'] === before['web.key']]).toEqual([false, true])
  })

  test.each([
    ['{ certificate: web.pem }', 'servers.web.tls.certificate: "web.pem" is none of valid, expired'],
    ['{ certificate: expird }', '"expird" is none of valid, expired'],
    ['{ key: web.key }', 'servers.web.tls.key: `key` goes with `certificate`, a file of your own'],
    ['{ certificate: expired, key: web.key }', '`key` goes with `certificate`, a file of your own'],
    ['{ certificate: web.pem, key: web.key, names: [a.test] }', '`names` cannot go with `key`'],
    ['{ ca: ca.pem }', '`ca` goes with `key`'],
    ['{ outside: true }', '`outside` goes with `key`'],
    ['{ certificate: web.pem, key: 3 }', 'servers.web.tls.key'],
    ['{ certificate: none.pem, key: web.key }', 'servers.web.tls.certificate: there is no file none.pem'],
    ['{ certificate: web.pem, key: certs }', 'servers.web.tls.key: certs is a folder'],
    ['{ certificate: long.pem, key: web.key }', 'long.pem has 307200 bytes; it can have at most 262144'],
    ['{ certificate: ../x.pem, key: web.key }', 'servers.web.tls.certificate'],
    ['{ certificate: web.pem, key: old.key }', 'servers.web.tls.key: old.key is not the key of web.pem'],
    ['{ certificate: web.pem, key: locked.key }', 'servers.web.tls.key: locked.key is encrypted'],
    ['{ certificate: web.pem, key: text.txt }', 'servers.web.tls.key: text.txt has no private key in PEM'],
    ['{ certificate: web.key, key: web.key }', 'servers.web.tls.certificate: web.key has no certificate in PEM'],
    [
      '{ certificate: broken.pem, key: web.key }',
      'servers.web.tls.certificate: broken.pem has a certificate that cannot be read',
    ],
    ['{ certificate: web.pem, key: web.key, ca: text.txt }', 'servers.web.tls.ca: text.txt has no certificate in PEM'],
  ])('%s is reported with its line', async (tls, message) => {
    const said = await mistakeOf(tls)
    expect(said).toContain(message)
    expect(said).toMatch(/testfleet\.yaml:3:\d+: /)
  })

  test.each([
    ['web', []],
    ['old', ['certificate-expired: old.pem expired on']],
    ['later', ['certificate-expired: later.pem is not valid before']],
    ['other', ['certificate-name: other.pem is not valid for web.own.test']],
  ])('%s.pem is reported by check with its line if clients would refuse it', async (name, expected) => {
    const { findings } = await auditFleet(await load(`{ certificate: ${name}.pem, key: ${name}.key }`), {
      environment: {},
    })
    const found = findings.filter(({ id }) => id.startsWith('certificate-'))
    expect(found.map(({ line }) => line)).toEqual(expected.map(() => 3))
    expect(found.map(({ id, message }) => `${id}: ${message}`)).toEqual(
      expected.map((text) => expect.stringContaining(text)),
    )
  })

  test('makes a preset speak TLS, unless it is told not to', async () => {
    const own = '{ certificate: web.pem, key: web.key }'
    const server = (await load(own, 'preset: etcd')).servers.get('web')
    expect(server?.tls?.own?.key.path).toBe(join(folder, 'web.key'))
    expect(server?.ready[0]?.kind).toBe('https')
    expect((await load('true', 'preset: redis')).servers.get('web')?.ports).toHaveLength(2)
    expect((await load('false', 'preset: redis')).servers.get('web')?.ports).toHaveLength(1)
    expect(await mistakeOf(own, 'preset: etcd, options: { tls: false }')).toContain(
      'servers.web.tls: has no effect with `tls: false` in `options`',
    )
  })
})
