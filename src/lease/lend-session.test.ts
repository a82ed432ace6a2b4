import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { type Behaviour, hook, programTools } from '../../tests/support/fake-program.ts'
import { currentHost } from '../current-host.ts'
import { label } from '../model/labels.ts'
import type { Lending } from '../model/lending.ts'
import type { ServerRecord } from '../model/session.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { SessionLending } from './lend-session.ts'
import type { Lendable } from './lendable.ts'
import type { openCopies } from './open-copies.ts'

const database = { name: 'own', console: hook(['sql']), mark: 'print ${mark}', template: [], create: [], drop: [] }

/** The record of a session whose only server is lent in this way. */
function sessionOf(container: string, lending: Lending, more: Partial<ServerRecord> = {}): StoredRecord {
  const db = { container, secrets: [], ready: [], ports: [], export: {}, hostname: 'db.shop.test', lending, ...more }
  return { id: 'x', name: 'shop', fleet: 'shop', servers: { db } } as unknown as StoredRecord
}

const listener = { onEnd: async () => {}, onBegun() {} }
// Copies cannot be made: the fleet is none.
const order = { kind: 'object', value: 1, folder: '/' } as const

interface Now {
  record: StoredRecord
  /** Digest of each container. */
  digests?: Readonly<Record<string, string>>
}

/** Lends a session of which the record is `before` first, then whatever `now` has. */
function openLending(before: StoredRecord, now: Now, copies?: typeof openCopies): SessionLending {
  const onLine: Behaviour['onLine'] = (line, program) => {
    if (!line.startsWith('wait')) program.print(`${line}\n`)
  }
  const { tools } = programTools({ sql: { onLine } })
  const sessions = { find: async () => now.record }
  const inspectServer = async (id: string) => {
    const labels = { [label.digest]: now.digests?.[id] }
    return { id, state: 'running', labels, published: [], networks: [] }
  }
  const runtime = { ...tools.runtime, inspectServer, reach: () => ({ ip: '', endpoints: new Map() }) }
  const more = { runtime, sessions, host: currentHost('/'), signal: new AbortController().signal }
  return new SessionLending(before, order, listener, { ...tools, ...more } as unknown as Tools, copies)
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

test('a session whose servers end does not wait for a database that is being made', async () => {
  const never = { ...database, mark: 'wait ${mark}' }
  const record = sessionOf('a', { isolation: 'database', database: never, pool: { size: 1, isPaused: false } })
  const lending = openLending(record, { record })
  await lending.find('db')
  await lending.end({ isServerEnding: true })
  await expect(lending.find('db')).rejects.toThrow('db is not lent any more')
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
  await eventually(() => expect(lending.lendings).toHaveLength(1))
  await lending.end()
})

test('copies stay when only the container is another one, and are replaced when their server is', async () => {
  const opened: Lendable[] = []
  const closed: Lendable[] = []
  const now = { record: sessionOf('a', { isolation: 'container' }), digests: { a: '1', b: '1', c: '1', d: '2' } }
  const open: typeof openCopies = async (_, { parent }) => {
    const digest = now.digests[parent.servers.db?.container as 'a']
    const one: Lendable = {
      isolation: 'container',
      digest,
      close: async () => void closed.push(one),
    } as unknown as Lendable
    opened.push(one)
    return one
  }
  const lending = openLending(now.record, now, open)
  const first = await lending.find('db')
  const change = async (container: string, more: Partial<ServerRecord> = {}): Promise<Lendable> => {
    now.record = sessionOf(container, { isolation: 'container' }, more)
    await lending.refresh()
    return lending.find('db')
  }
  expect(await change('b', { sealed: 'for b' })).toBe(first)
  expect(await change('a')).toBe(first)
  // Other secrets, then other settings.
  const second = await change('c', { secretDigest: 'other' })
  const third = await change('d', { secretDigest: 'other' })
  expect({ opened, closed }).toEqual({ opened: [first, second, third], closed: [first, second] })
  await lending.end()
})
