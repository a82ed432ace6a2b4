import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import type { Host } from '../model/host.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { openSecretReader, sealSecrets } from './secrets.ts'

const container = 'c'.repeat(64)
const values = new Map([
  ['PASSWORD', 'größe "quoted"\nand a second line'],
  ['EMPTY', ''],
])

/** A container that nobody may read from. */
const closed = {
  async fetch() {
    throw new Error('the container was asked')
  },
} as unknown as Runtime

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
  openSecretReader(closed, by, {})({ container: of, sealed })

describe('sealed secrets', () => {
  test('are read back without asking the container', async () => {
    const sealed = await seal()
    expect(await read(sealed)).toEqual(values)
    // By a later call, which makes no other key.
    expect(await read(await seal())).toEqual(values)
    expect(await read(sealed)).toEqual(values)
  })

  test('do not show what they are, nor that two are equal', async () => {
    const [one, other] = [await seal(), await seal()]
    expect(one).not.toBe(other)
    expect(Buffer.from(one, 'base64').includes('quoted')).toBe(false)
  })

  test('are nothing to those who have another key, nor for another container, nor when somebody changed them', async () => {
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

  test('have a key that only its owner can read', async () => {
    await seal()
    const folder = join(state, 'own')
    expect(await readdir(folder)).toEqual(['secrets.key'])
    expect((await stat(join(folder, 'secrets.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
  })

  test('are of one key, though many calls make it at once', async () => {
    const sealed = await Promise.all(Array.from({ length: 8 }, () => seal()))
    const last = await seal()
    expect(await read(last)).toEqual(values)
    expect(await readdir(join(state, 'own'))).toEqual(['secrets.key'])
    // One that was sealed with a key that has been replaced is read from its container.
    for (const one of sealed)
      await read(one).then(
        (known) => expect(known).toEqual(values),
        (error) => expect(String(error)).toContain('the container was asked'),
      )
  })

  test('are none where there is no place for a key, no secret, or too much of it', async () => {
    expect(await sealSecrets(new Map(), container, host)).toBeUndefined()
    expect(await sealSecrets(new Map([['BIG', 'x'.repeat(4096)]]), container, host)).toBeUndefined()
    await writeFile(join(state, 'file'), '')
    const nowhere = { ...host, environment: { TESTFLEET_STATE_DIR: join(state, 'file') } }
    expect(await sealSecrets(values, container, nowhere)).toBeUndefined()
    await expect(read(undefined)).rejects.toThrow('the container was asked')
  })
})
