import { describe, expect, test } from 'vitest'
import { readMachine } from './processes.ts'
import { chooseSession, findSession, requireSession } from './resolve.ts'
import type { StoredRecord } from './store.ts'

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
      'the option goes first',
      'named',
      { TESTFLEET_SESSION: 'other' },
      { kind: 'named', name: 'named', by: '--session' },
    ],
    ['then the variable', undefined, { TESTFLEET_SESSION: 'x' }, { kind: 'named', name: 'x', by: 'TESTFLEET_SESSION' }],
    [
      'an empty variable names nothing',
      undefined,
      { TESTFLEET_SESSION: '' },
      { kind: 'checkout', file: '/a/testfleet.yaml' },
    ],
    ['then the checkout', undefined, {}, { kind: 'checkout', file: '/a/testfleet.yaml' }],
  ] as const)('%s', async (_, named, environment, choice) => {
    expect(await chooseSession({ session: named, environment, locateFile })).toEqual(choice)
  })

  test('reads no file where a session is named', async () => {
    const never = (): Promise<string> => Promise.reject(new Error('it was asked for'))
    await expect(chooseSession({ session: 'a', environment: {}, locateFile: never })).resolves.toBeDefined()
  })

  test.each(['../x', 'A', '', 'a b'])('refuses %j, wherever it comes from', async (name) => {
    await expect(chooseSession({ session: name, environment: {}, locateFile })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('the session of a checkout', () => {
  const choice = { kind: 'checkout', file: '/a/testfleet.yaml' } as const

  test('is the one that `up` made from its file', () => {
    const records = [session('shop-1f2e', { file: '/b/testfleet.yaml' }), session('shop')]
    expect(findSession(choice, records)?.name).toBe('shop')
  })

  test('is no session that was named, or that `run` made, from the same file', () => {
    expect(findSession(choice, [session('mine', { isDefault: false })])).toBeUndefined()
  })

  test('is none of another machine with the same path', () => {
    const elsewhere = { ...here, name: 'elsewhere', id: 'another' }
    expect(findSession(choice, [session('shop', { machine: elsewhere })])).toBeUndefined()
  })

  test('that is not there is reported with the sessions that can be named', () => {
    const records = [session('mine', { isDefault: false })]
    expect(() => requireSession(choice, records)).toThrow(
      expect.objectContaining({ code: 'NO_SESSION', hint: 'Name one with --session: mine.' }),
    )
  })
})

test('a session that TESTFLEET_SESSION names and that has ended is reported as that', () => {
  expect(() => requireSession({ kind: 'named', name: 'gone', by: 'TESTFLEET_SESSION' }, [])).toThrow(
    expect.objectContaining({ code: 'NO_SESSION', hint: expect.stringContaining('TESTFLEET_SESSION') }),
  )
})
