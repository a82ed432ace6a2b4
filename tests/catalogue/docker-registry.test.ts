import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const toJson = (value: object): Buffer => Buffer.from(JSON.stringify(value))

/** An image of one layer without a file. */
const tar = Buffer.alloc(1024)
const layer = gzipSync(tar)
const config = toJson({
  architecture: 'amd64',
  os: 'linux',
  config: { Labels: { made: 'here' } },
  rootfs: { type: 'layers', diff_ids: [`sha256:${digest(tar)}`] },
})
const docker = 'application/vnd.docker'
const manifest = toJson({
  schemaVersion: 2,
  mediaType: `${docker}.distribution.manifest.v2+json`,
  config: { mediaType: `${docker}.container.image.v1+json`, size: config.length, digest: `sha256:${digest(config)}` },
  layers: [
    { mediaType: `${docker}.image.rootfs.diff.tar.gzip`, size: layer.length, digest: `sha256:${digest(layer)}` },
  ],
})

/** As a folder that skopeo reads. */
const folder = {
  'image/version': 'Directory Transport Version: 1.1\n',
  'image/manifest.json': manifest,
  [`image/${digest(config)}`]: config,
  [`image/${digest(layer)}`]: layer,
}

/** As a registry keeps it. */
const kept = (): Record<string, string | Uint8Array> => {
  const top = 'registry/docker/registry/v2'
  const repository = `${top}/repositories/tools/seeded`
  const link = `sha256:${digest(manifest)}`
  return {
    [`${repository}/_manifests/revisions/sha256/${digest(manifest)}/link`]: link,
    [`${repository}/_manifests/tags/first/current/link`]: link,
    [`${repository}/_manifests/tags/first/index/sha256/${digest(manifest)}/link`]: link,
    ...Object.fromEntries(
      [config, layer].map((blob) => [`${repository}/_layers/sha256/${digest(blob)}/link`, `sha256:${digest(blob)}`]),
    ),
    ...Object.fromEntries(
      [manifest, config, layer].map((blob) => [
        `${top}/blobs/sha256/${digest(blob).slice(0, 2)}/${digest(blob)}/data`,
        blob,
      ]),
    ),
  }
}

let session: CatalogueSession

const alicesPassword = `it's "a" $password \\ of alice`

beforeAll(async () => {
  session = await startCatalogue(
    {
      guarded: { preset: 'docker-registry', options: { users: { alice: { file: 'alice.txt' } }, tls: true } },
      full: { preset: 'docker-registry', options: { login: false, readOnly: true, seed: 'registry' } },
      plain: { preset: 'docker-registry' },
      tools: {
        build: { packages: ['skopeo', 'ca-certificates'], copy: [{ from: 'image', to: '/image' }] },
        command: ['sleep', '3600'],
        limits: { memory: '128m' },
      },
    },
    { 'alice.txt': alicesPassword, ...folder, ...kept() },
  )
})

afterAll(() => session.end())

const skopeo = (...words: string[]): Promise<CommandResult> =>
  session.fleet.call(['exec', 'tools', '--', 'skopeo', '--insecure-policy', ...words])
const push = (to: string, login: string, ...more: string[]): Promise<CommandResult> =>
  skopeo('copy', `--dest-creds=${login}`, ...more, 'dir:/image', `docker://${to}`)
const PLAIN = '--dest-tls-verify=false'

test('works without options, from the network and from the host', async () => {
  const login = `test:${await session.secret('plain', 'PASSWORD')}`
  expect(await push('plain:5000/tools/empty:1', login, PLAIN)).toMatchObject({ exitCode: 0 })
  const found = await skopeo('inspect', '--tls-verify=false', `--creds=${login}`, 'docker://plain:5000/tools/empty:1')
  expect(JSON.parse(found.stdout)).toMatchObject({ Digest: `sha256:${digest(manifest)}`, Labels: { made: 'here' } })
  const { REGISTRY } = session.variables
  const tags = await session.host('curl', '-sS', '--user', login, `http://${REGISTRY}/v2/tools/empty/tags/list`)
  expect(JSON.parse(tags.stdout)).toEqual({ name: 'tools/empty', tags: ['1'] })
  const layerFrom = `http://${REGISTRY}/v2/tools/empty/blobs/sha256:${digest(config)}`
  expect((await session.host('curl', '-sS', '--user', login, layerFrom)).stdout).toBe(config.toString())
})

test('accepts the password of each user, and no other', async () => {
  expect(await push('guarded:5000/a:1', `alice:${alicesPassword}`)).toMatchObject({ exitCode: 0 })
  for (const login of ['alice:wrong', `carol:${alicesPassword}`])
    expect((await push('guarded:5000/a:1', login)).stderr).toMatch(/unauthorized|authentication required/)
  expect((await session.client('curl', '-sS', 'http://plain:5000/v2/_catalog')).stdout).toContain('UNAUTHORIZED')
})

test('serves its seed without a login, and is read-only', async () => {
  const found = await skopeo('inspect', '--tls-verify=false', 'docker://full:5000/tools/seeded:first')
  expect(JSON.parse(found.stdout)).toMatchObject({ Digest: `sha256:${digest(manifest)}` })
  const again = await skopeo('copy', PLAIN, 'dir:/image', 'docker://full:5000/other:1')
  expect(again.stderr).toMatch(/read-only|405|unsupported/i)
})

test("speaks only TLS, with a certificate of the fleet's authority", async () => {
  const url = 'https://guarded:5000/v2/'
  const trusted = await session.client('curl', '-sS', '--user', `alice:${alicesPassword}`, url)
  expect(trusted).toMatchObject({ stdout: '{}', exitCode: 0 })
  const refused = await session.client(
    'curl',
    '-sS',
    '--capath',
    '/none',
    '--cacert',
    '/etc/ssl/certs/ISRG_Root_X1.pem',
    url,
  )
  expect(refused.stderr).toContain('unable to get local issuer certificate')
  const plain = await session.client('curl', '-sS', 'http://guarded:5000/v2/')
  expect(plain.stdout).toContain('Client sent an HTTP request to an HTTPS server')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^http :5000\/v2\/: (?:does not|no) answer/)
})
