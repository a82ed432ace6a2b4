import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureAuthority } from '../../src/certificates/authority-store.ts'
import { makeServerCertificate } from '../../src/certificates/make-certificates.ts'
import { currentHost } from '../../src/current-host.ts'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'
import { makeFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

let session: CatalogueSession

const alicesPassword = `it's"a"$password\\of:alice`

/** Not of the fleet. */
async function makeOwnCertificate(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'own-authority-'))
  const host = { ...currentHost(), environment: { TESTFLEET_STATE_DIR: folder } }
  const authority = await ensureAuthority({ name: 'own', folder, names: ['open', 'wrong-name.invalid'] }, host)
  const { key, chain } = await makeServerCertificate({ kind: 'valid', names: ['open'] }, authority)
  await rm(folder, { recursive: true })
  return { 'own.key': key, 'own.pem': chain, 'own-ca.pem': authority.files.certificate }
}

beforeAll(async () => {
  session = await startCatalogue(
    {
      full: { preset: 'etcd', options: { users: { alice: { file: 'alice.txt' } }, seed: 'pairs', tls: true } },
      plain: { preset: 'etcd' },
      open: {
        preset: 'etcd',
        options: { login: false, seed: 'pairs' },
        tls: { certificate: 'own.pem', key: 'own.key' },
        limits: { memory: '128m' },
      },
      tools: {
        build: { packages: ['etcd-client', 'ca-certificates'], environment: { ETCDCTL_API: '3' } },
        command: ['sleep', '3600'],
        mounts: [{ from: 'own-ca.pem', to: '/own-ca.pem' }],
        limits: { memory: '64m' },
      },
    },
    {
      ...(await makeOwnCertificate()),
      'alice.txt': alicesPassword,
      pairs: '/config/color dark blue\n/config/quote it\'s "so" \\ $HOME\n\n/empty\n/trail a: \n-x dash',
    },
  )
})

afterAll(() => session.end())

interface Place {
  readonly server: string
  readonly login?: string
  readonly roots?: string
  /** How long to try: what is refused is tried again until then. */
  readonly seconds?: number
}

function etcdctl({ server, login = '', roots, seconds = 60 }: Place, ...words: string[]): Promise<CommandResult> {
  const tls = roots === undefined ? [] : ['--cacert', roots]
  const address = `${roots === undefined ? 'http' : 'https'}://${server}:2379`
  const where = ['--endpoints', address, '--command-timeout', `${seconds}s`]
  const who = login === '' ? [] : ['--user', login]
  return session.fleet.call(['exec', 'tools', '--', 'etcdctl', ...where, ...tls, ...who, ...words])
}

const roots = '/etc/ssl/certs/ca-certificates.crt'

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const place = { server: 'plain', login: `root:${password}` }
  expect((await etcdctl(place, 'put', 'a', '1')).stdout).toBe('OK\n')
  const { ETCD_ENDPOINT, ETCD_USER: name, ETCD_PASSWORD } = session.variables
  expect(ETCD_PASSWORD).toBe(password)
  const ask = (path: string, body: object, ...more: string[]) =>
    session.host('curl', '-sS', ...more, '--data', JSON.stringify(body), `http://${ETCD_ENDPOINT}/v3/${path}`)
  const { token } = JSON.parse((await ask('auth/authenticate', { name, password })).stdout)
  const found = await ask('kv/range', { key: btoa('a') }, '--header', `Authorization: ${token}`)
  expect(JSON.parse(found.stdout)).toMatchObject({ kvs: [{ key: btoa('a'), value: btoa('1') }] })
  expect((await ask('kv/range', { key: btoa('a') })).stdout).toContain('user name is empty')
})

test('starts with its seed', async () => {
  const password = await session.secret('full', 'PASSWORD')
  const place = { server: 'full', login: `root:${password}`, roots }
  const { stdout } = await etcdctl(place, 'get', '--prefix', '')
  expect(stdout).toBe('-x\ndash\n/config/color\ndark blue\n/config/quote\nit\'s "so" \\ $HOME\n/empty\n\n/trail\na: \n')
})

test('accepts the password of each user, and no other', async () => {
  const place = { server: 'full', roots }
  const alice = { ...place, login: `alice:${alicesPassword}` }
  expect((await etcdctl(alice, 'put', '/hers', 'x')).stdout).toBe('OK\n')
  expect((await etcdctl(alice, 'user', 'add', 'bob:any')).stderr).toContain('permission denied')
  for (const login of ['alice:wrong', 'root:wrong', `carol:${alicesPassword}`])
    expect((await etcdctl({ ...place, login }, 'get', '/hers')).stderr).toContain('authentication failed')
  expect((await etcdctl(place, 'get', '/hers')).stderr).toContain('user name is empty')
})

test('refuses a password with a space, which etcdctl would cut off', async () => {
  const words = 'two words'
  for (const options of [{ password: { file: 'words' } }, { users: { alice: { file: 'words' } } }]) {
    const fleet = await makeFleet({ blank: { preset: 'etcd', options } }, { words })
    const { exitCode, stdout, stderr } = await fleet.call(['up', '--timeout', '5m'], { timeoutMs: 5 * 60_000 })
    await fleet.cleanUp()
    const user = 'users' in options ? 'alice' : 'root'
    expect(stdout + stderr).toContain(`start-etcd: the password of ${user} is empty or has a blank in it`)
    expect(stdout + stderr).not.toContain(words)
    expect(exitCode).not.toBe(0)
  }
})

test("speaks only TLS, with a certificate of the fleet's authority", async () => {
  const login = `root:${await session.secret('full', 'PASSWORD')}`
  const place = { server: 'full', login }
  expect((await etcdctl({ ...place, roots }, 'get', '/config/color')).stdout).toBe('/config/color\ndark blue\n')
  const strangers = { ...place, roots: '/etc/ssl/certs/ISRG_Root_X1.pem', seconds: 5 }
  expect((await etcdctl(strangers, 'get', '/config/color')).stderr).toMatch(/deadline exceeded|unknown authority/)
  const unknown = await session.client(
    'curl',
    '-sS',
    '--capath',
    '/none',
    '--cacert',
    strangers.roots,
    'https://full:2379/health',
  )
  expect(unknown.stderr).toContain('unable to get local issuer certificate')
  expect((await session.client('curl', '-sS', 'http://full:2379/health')).stdout).not.toContain('true')
})

test('gives `exec` a login without a password, over TLS as well', async () => {
  for (const server of ['plain', 'full'])
    expect((await session.fleet.done(['exec', server, '--', 'etcdctl', 'user', 'list'])).stdout).toContain('root')
})

test('needs no password with `login: false`, and uses a given certificate', async () => {
  const open = { server: 'open', roots: '/own-ca.pem' }
  expect((await etcdctl(open, 'get', '/config/color')).stdout).toBe('/config/color\ndark blue\n')
  expect((await etcdctl({ ...open, roots, seconds: 5 }, 'get', '/config/color')).stdout).toBe('')
  expect(session.variables.TESTFLEET_OPEN_ETCD_USER).toBeUndefined()
})

test('has a cluster id of its own', async () => {
  const idOf = async (server: string): Promise<number> => {
    const { stdout } = await session.fleet.done(['exec', server, '--', 'etcdctl', 'endpoint', 'status', '-w', 'json'])
    return JSON.parse(stdout)[0].Status.header.cluster_id
  }
  expect(await idOf('open')).not.toBe(await idOf('plain'))
})

test('refuses writes before its memory limit is reached', wide, async () => {
  const fill = 'for i in $(seq 60); do head -c 1000000 /dev/zero | tr "\\0" x | etcdctl put big$i || exit; done'
  const { stdout, stderr } = await session.fleet.call(['exec', 'open', '--', 'sh', '-c', fill])
  expect(stderr).toContain('database space exceeded')
  expect(stdout).toContain('OK')
  expect((await etcdctl({ server: 'open', roots: '/own-ca.pem' }, 'get', '/config/color')).stdout).toContain('blue')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^http :2379\/health: (?:does not|no) answer/)
})
