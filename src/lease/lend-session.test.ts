import { expect, test, vi } from 'vitest'
import { hook, programTools } from '../../tests/support/fake-program.ts'
import { currentHost } from '../current-host.ts'
import type { Lending } from '../model/lending.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { SessionLending } from './lend-session.ts'

const database = { name: 'own', console: hook(['sql']), mark: 'print ${mark}', template: [], create: [], drop: [] }

/** The record of a session whose only server is lent in this way. */
function sessionOf(container: string, lending: Lending): StoredRecord {
  const db = { container, secrets: [], ready: [], ports: [], export: {}, hostname: 'db.shop.test', lending }
  return { id: 'x', name: 'shop', fleet: 'shop', servers: { db } } as unknown as StoredRecord
}

const listener = { onEnd: async () => {}, onBegun() {} }
// Copies cannot be made: the fleet is none.
const order = { kind: 'object', value: 1, folder: '/' } as const

/** Lends a session of which the record is `before` first, then whatever `now` has. */
function openLending(before: StoredRecord, now: { record: StoredRecord }): SessionLending {
  const { tools } = programTools({ sql: { onLine: (line, program) => program.print(`${line}\n`) } })
  const sessions = { find: async () => now.record }
  const inspectServer = async () => ({ id: 'a', state: 'running', labels: {}, published: [], networks: [] })
  const runtime = { ...tools.runtime, inspectServer, reach: () => ({ ip: '', endpoints: new Map() }) }
  const more = { runtime, sessions, host: currentHost('/'), signal: new AbortController().signal }
  return new SessionLending(before, order, listener, { ...tools, ...more } as unknown as Tools)
}

test('a server that is replaced while its pool is being opened is lent as it is now', async () => {
  const record = sessionOf('b', { isolation: 'database', database })
  const lending = openLending(sessionOf('a', { isolation: 'container' }), { record })
  const first = lending.find('db')
  await lending.refresh()
  const second = await lending.find('db')
  await expect(first).rejects.toThrow()
  expect(second.isolation).toBe('database')
  expect(await lending.find('db')).toBe(second)
  await lending.end()
  await expect(lending.find('db')).rejects.toThrow('db is not lent any more')
})

test('a pool that was changed is opened again, and what it had lent stays', async () => {
  const signal = new AbortController().signal
  const pool = { size: 1, isPaused: false }
  const now = { record: sessionOf('a', { isolation: 'database', database, pool }) }
  const lending = openLending(now.record, now)
  const first = await lending.find('db')
  const lent = await first.take(signal)
  await lending.refresh()
  expect(await lending.find('db')).toBe(first)
  now.record = sessionOf('a', { isolation: 'database', database, pool: { ...pool, size: 3 } })
  await lending.refresh()
  await lending.refresh()
  const second = lending.find('db')
  expect(lending.lendings).toEqual([['db', first]])
  first.give(lent)
  expect((await second).status().size).toBe(3)
  expect(lending.pools.get('db')).toBe(await second)
  expect(lending.isLasting).toBe(true)
  now.record = sessionOf('a', { isolation: 'container' })
  await lending.refresh()
  await expect(lending.find('db')).rejects.toThrow('the fleet')
  expect(lending.isLasting).toBe(false)
  await lending.end()
})

test('a session that ends does not wait for leases that a changed pool still has', async () => {
  const pool = { size: 1, isPaused: false }
  const now = { record: sessionOf('a', { isolation: 'database', database, pool }) }
  const lending = openLending(now.record, now)
  await (await lending.find('db')).take(new AbortController().signal)
  now.record = sessionOf('a', { isolation: 'database', database, pool: { ...pool, size: 3 } })
  await lending.refresh()
  await lending.end()
})

test('a server that is replaced is lent at once, whatever an earlier pool of the old one still has lent', async () => {
  const pool = { size: 1, isPaused: false }
  const now = { record: sessionOf('a', { isolation: 'database', database, pool }) }
  const lending = openLending(now.record, now)
  const signal = new AbortController().signal
  await (await lending.find('db')).take(signal)
  now.record = sessionOf('a', { isolation: 'database', database, pool: { ...pool, size: 3 } })
  await lending.refresh()
  now.record = sessionOf('b', { isolation: 'database', database, pool: { ...pool, size: 3 } })
  await lending.refresh()
  expect(await (await lending.find('db')).take(signal)).toMatchObject({ container: 'b' })
  await vi.waitFor(() => expect(lending.lendings).toHaveLength(1))
  await lending.end()
})
