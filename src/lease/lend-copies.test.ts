import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { TestfleetError } from '../model/failures.ts'
import type { ServerRecord } from '../model/session.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { CopyLending, type CopySettings, type CopyWork } from './lend-copies.ts'
import type { CopyOrder } from './make-copy.ts'
import type { PlannedServer } from './planned-server.ts'

const record = (container: string) =>
  ({ container, hostname: 'db-1.shop.test', secrets: [], ready: [], ports: [], export: {} }) as unknown as ServerRecord

const server = { name: 'db' } as PlannedServer

/** Copies in memory. */
function openCopies(more: Partial<CopySettings> = {}) {
  const alive = new Set<string>()
  const names = new Map<string, ServerRecord>()
  const containers = new Map<string, string>()
  let made = 0
  const work = {
    async makeCopy(_: unknown, { number, change }: CopyOrder) {
      const container = `c${++made}`
      alive.add(container)
      containers.set(change, container)
      if (fails.make) throw new Error('it cannot start')
      const details = { id: container, state: 'running', published: [], labels: {}, networks: [], mounts: [] }
      return { name: `db-${number}`, change, record: record(container), secrets: new Map(), details }
    },
    async removeCopy({ change }: { readonly change: string }) {
      if (fails.remove) throw new Error('the engine is busy')
      alive.delete(containers.get(change) ?? '')
    },
  } as unknown as CopyWork
  const session = {
    id: 'pool',
    name: 'shop-pool',
    record: async (name: string, one: ServerRecord | undefined) =>
      void (one ? names.set(name, one) : names.delete(name)),
    end: async () => {},
  }
  const fails = { pause: false, make: false, remove: false }
  const ended = new Set<string>()
  const paused = new Set<string>()
  const runtime = {
    inspectServer: async (id: string) => ({ id, state: ended.has(id) ? 'exited' : 'running' }),
    async pauseServer(id: string) {
      if (fails.pause) throw new TestfleetError('ENGINE_REFUSED', 'the engine has no freezer')
      if (ended.has(id)) throw new Error('it does not run')
      paused.add(id)
    },
    resumeServer: async (id: string) => void paused.delete(id),
    reach: () => ({ ip: '', endpoints: new Map() }),
    location: { endpoint: {}, remoteHost: undefined },
  }
  const parent = { name: 'shop', fleet: 'shop', domain: undefined, servers: {} } as unknown as StoredRecord
  const numbers = new Set<number>()
  const own = { session, parent, numbers, secrets: new Map() }
  const settings = { isolation: 'container', size: 2, isPaused: false, ...own, ...more } as const
  const tools = {
    runtime,
    host: {},
    engine: { location: {} },
    signal: new AbortController().signal,
  } as unknown as Tools
  const open = (): CopyLending => new CopyLending(server, settings, tools, work)
  return { open, alive, names, numbers, fails, ended, paused, count: () => made }
}

const never = new AbortController().signal

test('a copy that ends before it is lent is removed before the next one is made', async () => {
  for (const isPaused of [true, false]) {
    const { open, alive, names, numbers, ended, count } = openCopies({ isPaused, size: 1 })
    ended.add('c1')
    const lending = open()
    await expect(lending.take(never)).rejects.toMatchObject({ code: 'SERVER_DIED', message: 'a copy of db has ended' })
    expect(count()).toBe(1)
    expect([...alive, ...names.keys(), ...numbers]).toEqual([])
    expect(lending.problem).toBeUndefined()
    await lending.close()
  }
})

test('a copy that could not be made is removed, and its name is free only after that', async () => {
  const { open, alive, names, numbers, fails } = openCopies({ size: 1 })
  Object.assign(fails, { make: true, remove: true })
  const first = open()
  await expect(first.take(never)).rejects.toThrow('it cannot start')
  expect({ alive: [...alive], numbers: [...numbers] }).toEqual({ alive: ['c1'], numbers: [1] })
  Object.assign(fails, { make: false, remove: false })
  const next = open()
  expect((await next.take(never)).copy).toBe('db-2')
  fails.make = true
  const last = open()
  await expect(last.take(never)).rejects.toThrow('it cannot start')
  expect({ alive: [...alive], names: [...names.keys()] }).toEqual({ alive: ['c1', 'c2'], names: ['db-2'] })
  expect([...numbers]).toEqual([1, 2])
  for (const one of [first, next, last]) await one.close()
})

test('copies run where the engine cannot pause them, and the reason is known', async () => {
  const { open, fails, count } = openCopies({ isPaused: true, size: 1 })
  fails.pause = true
  const lending = open()
  expect((await lending.take(never)).container).toBe('c1')
  expect(lending.problem).toBe('db: the copies run, because the engine cannot pause them: the engine has no freezer')
  expect(count()).toBe(1)
  await lending.close()
})

test('the copies of a server that was replaced are removed: those that are lent after their lease', async () => {
  const { open, alive, names } = openCopies()
  const signal = new AbortController().signal
  const lending = open()
  const lent = await lending.take(signal)
  await eventually(() => expect(lending.status().ready).toBe(1))
  await lending.close()
  expect([...alive]).toEqual([lent.container])
  const next = open()
  const other = await next.take(signal)
  expect(other.copy).not.toBe(lent.copy)
  lending.give(lent)
  await eventually(() => expect(alive.has(lent.container)).toBe(false))
  expect(names.get(other.copy)?.container).toBe(other.container)
  await next.close()
})
