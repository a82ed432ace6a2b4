import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditFleet } from '../audit/audit.ts'
import { currentHost } from '../current-host.ts'
import type { Fleet } from '../model/fleet.ts'
import { resolveSecrets } from '../servers/secrets.ts'
import { loadFleet } from './load-fleet.ts'

let folder: string

const preset = `description: d
options:
  password: { type: secret, describe: d, default: { env: PRESET_OWN } }
  users: { type: users, describe: d }
server:
  image: debian
  secrets: { PASSWORD: { option: password }, user.*: { option: users } }
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secret-options-'))
  await mkdir(join(folder, 'own'))
  await writeFile(join(folder, 'own/preset.yaml'), preset)
  await writeFile(join(folder, 'long'), 'x'.repeat(501 * 1024))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const host = { ...currentHost(), environment: {} }

/** A fleet of one server whose keys begin at line 4. */
async function load(...keys: readonly string[]): Promise<Fleet> {
  await writeFile(
    join(folder, 'testfleet.yaml'),
    ['name: n', 'servers:', '  db:', ...keys.map((key) => `    ${key}`), ''].join('\n'),
  )
  return loadFleet({ kind: 'file', named: undefined }, { ...host, workingFolder: folder })
}

const catalogue = ['preset: redis', 'options:']
const ofOwn = ['preset: ./own', 'options:']

describe('an invalid secret of an option is reported at the option', () => {
  test.each([
    [[...catalogue, '  password: { generat: 24 }'], '6:19: servers.db.options.password.generat: unknown key'],
    [[...catalogue, '  password: { generate: 2 }'], '6:29: servers.db.options.password.generate: must be at least 8'],
    [[...catalogue, '  password: { generate: x }'], '6:29: servers.db.options.password.generate: must be a number'],
    [[...catalogue, '  password: { env: 3 }'], '6:24: servers.db.options.password.env: must be text'],
    [[...catalogue, '  password: {}'], '6:17: servers.db.options.password: '],
    [
      [...catalogue, '  password: { file: nowhere }'],
      '6:25: servers.db.options.password.file: there is no file nowhere',
    ],
    [[...catalogue, '  password: { file: long }'], '6:25: servers.db.options.password.file: long has 513024 bytes'],
    [[...ofOwn, '  password: { file: nowhere }'], '6:25: servers.db.options.password.file: there is no file nowhere'],
    [
      [...ofOwn, '  users:', '    bob: { generate: 24 }', '    eve: { generate: 1 }'],
      '8:26: servers.db.options.users.eve.generate: must be at least 8',
    ],
    [
      ['preset: redis', 'secrets: { PASSWORD: { generate: 1 } }'],
      '5:38: servers.db.secrets.PASSWORD.generate: must be',
    ],
  ])('%j', async (keys, message) => {
    const error = await load(...keys).then(
      () => new Error('no mistake'),
      (error: Error) => error,
    )
    expect(error.message).toContain(`testfleet.yaml:${message}`)
  })
})

describe('a secret with an unset variable is reported with its line and its name in the fleet file', () => {
  test.each([
    ['password', [...catalogue, '  password: { env: PW }'], 'options.password', { line: 6, column: 24 }],
    [
      'users',
      [...ofOwn, '  password: { generate: 9 }', '  users: { bob: { env: PW } }'],
      'options.users.bob',
      { line: 7 },
    ],
    ['secrets', ['image: debian', 'secrets: { KEY: { env: PW } }'], 'secrets.KEY', { line: 5, column: 28 }],
    ['secrets over a preset', ['preset: redis', 'secrets: { PASSWORD: { env: PW } }'], 'secrets.PASSWORD', { line: 5 }],
  ])('%s', async (_, keys, field, at) => {
    const { servers, source } = await load(...keys)
    const db = servers.get('db')
    if (db === undefined) throw new Error('there is no server')
    await expect(resolveSecrets(db, { host, source })).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      message: `servers.db.${field}: the variable PW is not set where testfleet was called`,
      server: 'db',
      at: { file: 'testfleet.yaml', ...at },
      hint: 'Set PW and call again.',
    })
    const set = { ...host, environment: { PW: 'given' } }
    expect([...(await resolveSecrets(db, { host: set, source })).values()]).toContain('given')
  })

  test('in the file of the preset if the preset declares it', async () => {
    const { servers, source } = await load('preset: ./own')
    const db = servers.get('db')
    if (db === undefined) throw new Error('there is no server')
    await expect(resolveSecrets(db, { host, source })).rejects.toMatchObject({
      message: 'servers.db.secrets.PASSWORD: the variable PRESET_OWN is not set where testfleet was called',
      at: { file: expect.stringMatching(/own\/preset\.yaml$/) },
    })
  })
})

test('the audit reports a finding about a secret of an option at the option', async () => {
  const { findings } = await auditFleet(await load(...catalogue, '  password: { generate: 9 }'), host)
  expect(findings.filter(({ id }) => id === 'secret-short')).toEqual([expect.objectContaining({ line: 6 })])
})
