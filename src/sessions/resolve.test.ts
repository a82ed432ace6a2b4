import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Fleet } from '../model/fleet.ts'
import { speakAs } from '../model/surface.ts'
import { readMachine } from './processes.ts'
import { chooseSession, findSession, findTarget, noSession, requireSession } from './resolve.ts'
import type { StoredRecord } from './store.ts'

// Messages are quoted as the command words them.
speakAs('command')

const here = readMachine()

function session(name: string, changes: Partial<StoredRecord> = {}): StoredRecord {
  return {
    id: name,
    revision: 1,
    writers: [],
    name,
    fleet: 'shop',
    domain: 'shop.test',
    file: '/a/testfleet.yaml',
    isDefault: true,
    owner: 'me@here',
    machine: here,
    createdAtMs: 0,
    lifetime: { kind: 'lasting' },
    change: undefined,
    servers: {},
    ...changes,
  }
}

const locateFile = async (): Promise<string> => '/a/testfleet.yaml'

describe('chooseSession', () => {
  test.each([
    [
      'the option takes precedence',
      'named',
      { TESTFLEET_SESSION: 'other' },
      { kind: 'named', name: 'named', by: '--session' },
    ],
    ['then the variable', undefined, { TESTFLEET_SESSION: 'x' }, { kind: 'named', name: 'x', by: 'TESTFLEET_SESSION' }],
    [
      'an empty variable counts as unset',
      undefined,
      { TESTFLEET_SESSION: '' },
      { kind: 'checkout', file: '/a/testfleet.yaml' },
    ],
    ['then the checkout', undefined, {}, { kind: 'checkout', file: '/a/testfleet.yaml' }],
  ] as const)('%s', async (_, named, environment, choice) => {
    expect(await chooseSession({ session: named, environment, locateFile })).toEqual(choice)
  })

  test('reads no file when a session is named', async () => {
    const never = (): Promise<string> => Promise.reject(new Error('it was asked for'))
    await expect(chooseSession({ session: 'a', environment: {}, locateFile: never })).resolves.toBeDefined()
  })

  test.each(['../x', 'A', '', 'a b'])('refuses the name %j from every source', async (name) => {
    await expect(chooseSession({ session: name, environment: {}, locateFile })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('the session of a checkout', () => {
  const choice = { kind: 'checkout', file: '/a/testfleet.yaml' } as const

  test('is the one that `up` started from its file', () => {
    const records = [session('shop-1f2e', { file: '/b/testfleet.yaml' }), session('shop')]
    expect(findSession(choice, records)?.name).toBe('shop')
  })

  test('is never a session with an explicit name, or one of `run`, from the same file', () => {
    expect(findSession(choice, [session('mine', { isDefault: false })])).toBeUndefined()
  })

  test('is never a session of another machine with the same path', () => {
    const elsewhere = { ...here, name: 'elsewhere', id: 'another' }
    expect(findSession(choice, [session('shop', { machine: elsewhere })])).toBeUndefined()
  })

  test('that does not exist is reported with the sessions of the same file', () => {
    const records = [session('mine', { isDefault: false })]
    expect(() => requireSession(choice, records)).toThrow(
      expect.objectContaining({ code: 'NO_SESSION', hint: 'Name one with --session: mine.' }),
    )
  })
})

describe('the hint for a checkout without a session', () => {
  const choice = { kind: 'checkout', file: '/a/testfleet.yaml' } as const
  const hintOf = (record: StoredRecord): string | undefined => noSession(choice, [record], 'shop').hint

  test('names a session whose folder is gone, because it may have been moved here', () => {
    expect(hintOf(session('shop-1f2e', { file: '/gone/testfleet.yaml' }))).toContain(
      'Name it with --session shop-1f2e if this folder was moved: that session was brought up from /gone/testfleet.yaml, which no longer exists.',
    )
  })

  test.each<[string, Partial<StoredRecord>]>([
    ['a folder that is there', { file: import.meta.filename }],
    ['another fleet', { file: '/gone/testfleet.yaml', fleet: 'bank' }],
    ['another machine', { file: '/gone/testfleet.yaml', machine: { ...here, name: 'far', id: 'x' } }],
    ['`run`', { file: '/gone/testfleet.yaml', isDefault: false }],
    ['a program', { file: undefined }],
  ])('names no session of %s', (_, changes) => expect(hintOf(session('s', changes))).toContain('Start one with'))
})

test('a session that TESTFLEET_SESSION names and that does not exist is reported with that variable', () => {
  expect(() => requireSession({ kind: 'named', name: 'gone', by: 'TESTFLEET_SESSION' }, [])).toThrow(
    expect.objectContaining({ code: 'NO_SESSION', hint: expect.stringContaining('TESTFLEET_SESSION') }),
  )
})

describe('a session that was started from another file of the same fleet', () => {
  // Both files exist.
  const [one, other] = [import.meta.filename, join(import.meta.dirname, 'resolve.ts')]
  const fleet = (file: string | undefined) => ({ name: 'shop', domain: 'shop.test', file }) as Fleet
  const choice = { kind: 'named', name: 'shop', by: '--session' } as const
  const find = (record: StoredRecord, file: string | undefined) => findTarget(choice, fleet(file), [record])

  test('is refused', () => {
    expect(() => find(session('shop', { file: one }), other)).toThrow(
      expect.objectContaining({
        code: 'NAME_TAKEN',
        message: 'the session shop was brought up from resolve.test.ts; this is resolve.ts',
        hint: expect.stringContaining('testfleet down --session shop'),
      }),
    )
    expect(() => find(session('shop', { file: one }), '/elsewhere/testfleet.yaml')).toThrow(
      `was brought up from ${one}; this is /elsewhere/testfleet.yaml`,
    )
  })

  test.each<[string, Partial<StoredRecord>, string | undefined]>([
    ['it is the same file', { file: one }, one],
    ['its file has been moved with its folder', { file: '/a/testfleet.yaml' }, one],
    ['its path is one of another machine', { file: one, machine: { ...here, name: 'far', id: 'x' } }, other],
    ['a program gave it as an object', { file: undefined }, one],
    ['a program gives this one as an object', { file: one }, undefined],
  ])('is accepted when %s', (_, changes, file) => {
    expect(find(session('shop', changes), file)).toMatchObject({ kind: 'existing' })
  })
})

describe('another fleet file with the same fleet name', () => {
  const target = (file: string, records: readonly StoredRecord[]) =>
    findTarget({ kind: 'checkout', file }, { name: 'shop', domain: 'shop.test', file } as Fleet, records)
  const nameOf = (file: string, records: readonly StoredRecord[]): string => {
    const found = target(file, records)
    return found.kind === 'new' ? found.session.name : found.record.name
  }

  test('gets a separate session, in another folder or in the same one', () => {
    const records = [session('shop')]
    for (const file of ['/a/b.yaml', '/a/c.yaml', '/b/testfleet.yaml']) {
      const name = nameOf(file, records)
      expect(name).toMatch(/^shop-[\da-f]{4}$/)
      records.push(session(name, { file }))
      expect(nameOf(file, records)).toBe(name)
    }
    expect(new Set(records.map(({ name }) => name)).size).toBe(4)
  })

  test('is refused when every name is taken', () => {
    const taken = (file: string, records: readonly StoredRecord[]): StoredRecord[] => [
      ...records,
      session(nameOf(file, records), { file: '/elsewhere.yaml' }),
    ]
    const all = ['/a/b.yaml', '/a/b.yaml', '/a/b.yaml'].reduce<StoredRecord[]>(
      (records, file) => taken(file, records),
      [],
    )
    expect(() => target('/a/b.yaml', all)).toThrow(
      expect.objectContaining({ code: 'NAME_TAKEN', message: expect.stringContaining('belong to other fleet files') }),
    )
  })
})
