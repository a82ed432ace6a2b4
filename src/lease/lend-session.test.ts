import { expect, test } from 'vitest'
import { hook, programTools } from '../../tests/support/fake-program.ts'
import { currentHost } from '../current-host.ts'
import type { Lending } from '../model/lending.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { SessionLending } from './lend-session.ts'

const database = { name: 'own', console: hook(['sql']), mark: 'print ${mark}', template: [], create: [], drop: [] }

/** The record of a session whose only server is lent in this way. */
function sessionOf(container: string, lending: Lending): StoredRecord {
  const db = { container, secrets: [], ready: [], ports: [], lending }
  return { id: 'x', name: 'shop', fleet: 'shop', servers: { db } } as unknown as StoredRecord
}

test('a server that is replaced while its pool is being opened is lent as it is now', async () => {
  const { tools } = programTools({ sql: { onLine: (line, program) => program.print(`${line}\n`) } })
  const now = sessionOf('b', { isolation: 'database', database })
  const sessions = { find: async () => now }
  // The first pool cannot be opened: the fleet is none.
  const order = { kind: 'object', value: 1, folder: '/' } as const
  const before = sessionOf('a', { isolation: 'container' })
  const listener = { onEnd: async () => {}, onBegun() {} }
  const more = { sessions, host: currentHost('/'), signal: new AbortController().signal }
  const lending = new SessionLending(before, order, listener, { ...tools, ...more } as unknown as Tools)
  const first = lending.find('db')
  await lending.refresh()
  const second = await lending.find('db')
  await expect(first).rejects.toThrow()
  expect(second.isolation).toBe('database')
  expect(await lending.find('db')).toBe(second)
  await lending.end()
  await expect(lending.find('db')).rejects.toThrow('db is not lent any more')
})
