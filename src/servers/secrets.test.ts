import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packTar } from 'modern-tar'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import type { Server } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { digestSecrets, findChangedSecrets, openSecretReader, type SecretHolder, sealSecrets } from './secrets.ts'

const container = 'c'.repeat(64)
const values = new Map([
  ['PASSWORD', 'größe "quoted"\nand a second line'],
  ['EMPTY', ''],
])

/** A container that must not be read from. */
const closed = {
  async fetch() {
    throw new Error('the container was asked')
  },
} as unknown as Runtime

const source = {
  locate: () => ({ file: 'testfleet.yaml', line: 3, column: 4 }),
  nameField: () => 'servers.db.secrets.TOKEN',
}

let state: string
let host: Host

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'testfleet-unit-'))
  host = { ...currentHost(), environment: { TESTFLEET_STATE_DIR: join(state, 'own') } }
})

afterEach(() => rm(state, { recursive: true, force: true }))

const seal = async (given: ReadonlyMap<string, string> = values, at = container): Promise<string> => {
  const sealed = await sealSecrets(given, at, host)
  if (sealed === undefined) throw new Error('nothing was sealed')
  return sealed
}

const read = (sealed: string | undefined, by = host, of = container) =>
  openSecretReader(closed, by, {})({ server: 'db', container: of, spec: { secrets: [...values.keys()], sealed } })

describe('sealed secrets', () => {
  test('are read back without reading from the container', async () => {
    const sealed = await seal()
    expect(await read(sealed)).toEqual(values)
    // A later call uses the same key.
    expect(await read(await seal())).toEqual(values)
    expect(await read(sealed)).toEqual(values)
  })

  test('hide their values, and whether two values are equal', async () => {
    const [one, other] = [await seal(), await seal()]
    expect(one).not.toBe(other)
    expect(Buffer.from(one, 'base64').includes('quoted')).toBe(false)
  })

  test('cannot be read with another key, for another container, or after a change', async () => {
    const sealed = await seal()
    const other = { ...host, environment: { TESTFLEET_STATE_DIR: join(state, 'other') } }
    await expect(read(sealed, other)).rejects.toThrow('the container was asked')
    await sealSecrets(values, container, other)
    await expect(read(sealed, other)).rejects.toThrow('the container was asked')
    await expect(read(sealed, host, 'd'.repeat(64))).rejects.toThrow('the container was asked')
    const bytes = Buffer.from(sealed, 'base64')
    for (const at of [0, 12, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(read(changed.toString('base64'))).rejects.toThrow('the container was asked')
    }
    for (const text of ['', 'AAAA', 'not base64']) await expect(read(text)).rejects.toThrow('the container was asked')
  })

  test('are encrypted with a key that only its owner can read', async () => {
    await seal()
    const folder = join(state, 'own')
    expect(await readdir(folder)).toEqual(['secrets.key'])
    expect((await stat(join(folder, 'secrets.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
  })

  test('share one key when several calls create it at the same time', async () => {
    const sealed = await Promise.all(Array.from({ length: 8 }, () => seal()))
    const last = await seal()
    expect(await read(last)).toEqual(values)
    expect(await readdir(join(state, 'own'))).toEqual(['secrets.key'])
    // What was sealed with a replaced key is read from the container.
    for (const one of sealed)
      await read(one).then(
        (known) => expect(known).toEqual(values),
        (error) => expect(String(error)).toContain('the container was asked'),
      )
  })

  test('are not sealed when the key cannot be stored, or when there are no secrets or too many', async () => {
    expect(await sealSecrets(new Map(), container, host)).toBeUndefined()
    expect(await sealSecrets(new Map([['BIG', 'x'.repeat(4096)]]), container, host)).toBeUndefined()
    await writeFile(join(state, 'file'), '')
    const nowhere = { ...host, environment: { TESTFLEET_STATE_DIR: join(state, 'file') } }
    expect(await sealSecrets(values, container, nowhere)).toBeUndefined()
    await expect(read(undefined)).rejects.toThrow('the container was asked')
  })
})

describe('secrets that can only be read from the container', () => {
  /** A container with these files in /run/secrets. */
  const containing = (files: Readonly<Record<string, string>>) =>
    ({
      fetch: () =>
        packTar(
          Object.entries(files).map(([name, text]) => {
            const body = Buffer.from(text)
            return { header: { name: `secrets/${name}`, type: 'file', size: body.length }, body }
          }),
        ),
    }) as unknown as Runtime

  const holder = (given: ReadonlyMap<string, string>): SecretHolder => ({
    server: 'db',
    container,
    spec: { secrets: [...given.keys()], secretDigest: digestSecrets(given) },
  })
  const readFrom = (files: Readonly<Record<string, string>>, given: ReadonlyMap<string, string> = values) =>
    openSecretReader(containing(files), host, {})(holder(given))

  test('are accepted when they equal what the server was given', async () => {
    expect(await readFrom(Object.fromEntries(values))).toEqual(values)
    // Other files in the folder are ignored.
    expect(await readFrom({ ...Object.fromEntries(values), other: 'x' })).toEqual(values)
    const odd = new Map([['LONG', '\ufeff ä\r\n\0'.repeat(5000)]])
    expect(await readFrom(Object.fromEntries(odd), odd)).toEqual(odd)
  })

  test.each([
    ['changed one', { PASSWORD: 'abc\nNODE_OPTIONS=--require=/evil.cjs', EMPTY: '' }],
    ['exchanged two', { PASSWORD: '', EMPTY: values.get('PASSWORD') ?? '' }],
    ['removed one', { PASSWORD: values.get('PASSWORD') ?? '' }],
    ['removed all', {}],
  ])('are refused when the server has %s', async (_, files) => {
    await expect(readFrom(files)).rejects.toMatchObject({ code: 'SECRET_UNUSABLE', server: 'db' })
    await expect(
      openSecretReader(containing(files), host, {})({ ...holder(values), spec: { secrets: ['PASSWORD', 'EMPTY'] } }),
    ).rejects.toMatchObject({ code: 'SECRET_UNUSABLE' })
  })

  test('are also refused when compared with the values they come from', async () => {
    const outside = { ...host, environment: { ...host.environment, TOKEN: 'new' } }
    const server = {
      name: 'db',
      secrets: new Map([['TOKEN', { kind: 'env', variable: 'TOKEN' }]]),
    } as unknown as Server
    const given = new Map([['TOKEN', 'old']])
    const find = (now: string) => {
      const reader = openSecretReader(containing({ TOKEN: now }), outside, {})
      return findChangedSecrets(server, holder(given), reader, { host: outside, source })
    }
    expect(await find('old')).toEqual(['TOKEN'])
    // A server cannot hide that its secret is outdated.
    await expect(find('new')).rejects.toMatchObject({ code: 'SECRET_UNUSABLE' })
  })

  test('have a digest that hides their values, and whether two values are equal', () => {
    const [one, other] = [digestSecrets(values), digestSecrets(values)]
    expect(one).toMatch(/^[0-9a-f]{32}:[0-9a-f]{64}$/)
    expect(one).not.toBe(other)
    expect(digestSecrets(new Map())).toBeUndefined()
  })
})
