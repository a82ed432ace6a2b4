import { expect, test, vi } from 'vitest'
import type { ServerRecord } from '../model/session.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { CopyLending, type CopySettings, type CopyWork } from './lend-copies.ts'
import type { PlannedServer } from './planned-server.ts'

const record = (container: string) =>
  ({ container, hostname: 'db-1.shop.test', secrets: [], ready: [], ports: [], export: {} }) as unknown as ServerRecord

const server = {
  name: 'db',
  planned: { observed: new Map([['db', { container: { id: 'own' }, spec: { secrets: [] } }]]) },
} as unknown as PlannedServer

/** Copies in memory. */
function openCopies(more: Partial<CopySettings> = {}) {
  const alive = new Set<string>()
  const names = new Map<string, ServerRecord>()
  let made = 0
  const work = {
    async makeCopy(_, number) {
      const container = `c${++made}`
      alive.add(container)
      return { name: `db-${number}`, change: container, record: record(container), secrets: new Map() }
    },
    async removeCopy({ change }) {
      alive.delete(change)
    },
  } as CopyWork
  const session = {
    id: 'pool',
    name: 'shop-pool',
    record: async (name: string, one: ServerRecord | undefined) =>
      void (one ? names.set(name, one) : names.delete(name)),
    end: async () => {},
  }
  const fails = { pause: false }
  const runtime = {
    inspectServer: async (id: string) => ({
      id,
      state: 'running',
      published: [],
      labels: {},
      networks: [],
      mounts: [],
    }),
    async pauseServer() {
      if (fails.pause) throw new Error('the engine cannot pause')
    },
    reach: () => ({ ip: '', endpoints: new Map() }),
    location: { endpoint: {}, remoteHost: undefined },
  }
  const parent = { name: 'shop', fleet: 'shop', domain: undefined, servers: {} } as unknown as StoredRecord
  const numbers = new Set<number>()
  const settings = { isolation: 'container', size: 2, isPaused: false, session, parent, numbers, ...more } as const
  const tools = {
    runtime,
    host: {},
    engine: { location: {} },
    signal: new AbortController().signal,
  } as unknown as Tools
  const open = (): CopyLending => new CopyLending(server, settings, tools, work)
  return { open, alive, names, numbers, fails, count: () => made }
}

test('a copy that cannot be paused is removed before the next one is made', async () => {
  const { open, alive, names, numbers, fails, count } = openCopies({ isPaused: true, size: 1 })
  fails.pause = true
  const lending = open()
  await expect(lending.take(new AbortController().signal)).rejects.toThrow('the engine cannot pause')
  expect(count()).toBe(1)
  expect([...alive, ...names.keys(), ...numbers]).toEqual([])
  await lending.close()
})

test('the copies of a server that was replaced are removed: those that are lent after their lease', async () => {
  const { open, alive, names } = openCopies()
  const signal = new AbortController().signal
  const lending = open()
  const lent = await lending.take(signal)
  await vi.waitFor(() => expect(lending.status().ready).toBe(1))
  await lending.close()
  expect([...alive]).toEqual([lent.container])
  const next = open()
  const other = await next.take(signal)
  expect(other.copy).not.toBe(lent.copy)
  lending.give(lent)
  await vi.waitFor(() => expect(alive.has(lent.container)).toBe(false))
  expect(names.get(other.copy)?.container).toBe(other.container)
  await next.close()
})
