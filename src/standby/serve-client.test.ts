import { expect, test, vi } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import type { LineClient } from '../lender/line-server.ts'
import type { Tools } from '../tools.ts'
import { Copies } from './copies.ts'
import type { Copy } from './prepare-copy.ts'
import type { StandbyOrder } from './protocol.ts'
import { serveClient } from './serve-client.ts'

type Handler = Parameters<LineClient['onRequest']>[0]

/** Copies whose servers are in memory, and a client of them. */
function openStandby({ size, ready }: { readonly size: number; readonly ready: number }) {
  const removed: string[] = []
  const fails = { resume: false }
  const basis = { isSame: true }
  const runtime = {
    pauseServer: async () => {},
    waitServer: async () => 0,
    reach: () => ({}),
    async resumeServer() {
      if (fails.resume) throw new Error('the engine cannot resume')
    },
  }
  const record = { lifetime: { kind: 'held', holders: [] } }
  const sessions = { update: async (_: string, change: (now: object) => object) => change(record) }
  const tools = {
    runtime,
    sessions,
    host: { workingFolder: '/', environment: { MODE: 'a' } },
    signal: new AbortController().signal,
  } as unknown as Tools
  const order = { program: 'p', source: { kind: 'object', value: {}, folder: '/' } } as unknown as StandbyOrder
  const waiting = new Set<() => void>()
  const copies = new Copies({
    order,
    settings: { size, idleMs: 60_000, memoryBytes: undefined },
    tools,
    readFree: async () => 0,
    onChange() {
      for (const wake of waiting) wake()
    },
  })
  const makeCopy = (id: string): Copy =>
    ({
      ...{ id, record: { name: id }, offer: { copy: id } },
      running: [{ name: 'web', container: { id }, spec: { ready: [{ kind: 'exit', code: 0 }], readyTimeoutMs: 1000 } }],
      basis: { beginCheck: () => async () => basis.isSame },
      leave() {},
      remove: async () => void removed.push(id),
    }) as unknown as Copy
  const all = Array.from({ length: ready }, (_, index) => makeCopy(`copy-${index}`))
  const read = new Set(['MODE'])
  const activity = { lastAtMs: 0 }
  const end = vi.fn()
  const serving = { copies, order, tools, read, activity, waiting, end }
  const connect = () => {
    let handler: Handler = async () => ({})
    let end = (): void => {}
    const client = { onRequest: (one: Handler) => (handler = one), onEnd: (one: () => void) => (end = one) }
    serveClient(client as unknown as LineClient, { ...serving, complete: async (settings) => settings })
    const ask = (request: object) => handler({ ...request }, { signal: new AbortController().signal })
    return {
      open: () => ask({ do: 'open', program: 'p' }),
      take: (environment: object = {}) => ask({ do: 'take', environment, holder: { process: {} } }),
      set: async (environment: object) => {
        await ask({ do: 'variables' })
        return ask({ do: 'set', program: 'p', settings: copies.settings, environment })
      },
      end: () => end(),
    }
  }
  const fill = () => Promise.all(all.map((copy) => copies.putBack(copy)))
  return { copies, removed, fails, basis, read, activity, end, fill, connect }
}

test('a copy that cannot be resumed for a caller with other variables is removed', async () => {
  const { copies, removed, fails, fill, connect } = openStandby({ size: 1, ready: 1 })
  await fill()
  fails.resume = true
  const { open, take } = connect()
  await expect(open()).resolves.toMatchObject({ offer: { copy: 'copy-0' } })
  await expect(take()).resolves.toMatchObject({ refused: expect.stringContaining('the variable MODE') })
  await eventually(() => expect(removed).toEqual(['copy-0']))
  expect(copies.describe().ready).toEqual([])
})

test('a copy is not given to a caller that was not asked for a variable that was read meanwhile', async () => {
  const { copies, read, activity, fill, connect } = openStandby({ size: 1, ready: 1 })
  await fill()
  const { open, take } = connect()
  await open()
  read.add('NEW')
  await expect(take({ MODE: 'a' })).resolves.toMatchObject({ refused: expect.stringContaining('the variable NEW') })
  await eventually(() => expect(copies.describe().ready).toEqual(['copy-0']))
  expect(activity.lastAtMs).toBe(0)
})

test('a caller with other variables that wants copies held ends the lender, and any other one keeps it', async () => {
  const { end, activity, fill, connect } = openStandby({ size: 1, ready: 1 })
  await fill()
  await expect(connect().set({ MODE: 'a' })).resolves.toMatchObject({ ready: ['copy-0'] })
  expect(activity.lastAtMs).toBeGreaterThan(0)
  expect(end).not.toHaveBeenCalled()
  await expect(connect().set({ MODE: 'b' })).resolves.toMatchObject({
    ended: 'the variable MODE had another value when the standby copy was prepared',
  })
  expect(end).toHaveBeenCalled()
})

test('a copy is given without another plan only while nothing is known to have changed', async () => {
  const { basis, fill, connect } = openStandby({ size: 2, ready: 2 })
  await fill()
  const mine = { MODE: 'a' }
  const first = connect()
  await first.open()
  await expect(first.take(mine)).resolves.toMatchObject({ record: { lifetime: { holders: [{ process: {} }] } } })
  const second = connect()
  await second.open()
  // Between its reservation and its take.
  basis.isSame = false
  // The fleet is loaded, and has no servers any more.
  await expect(second.take(mine)).resolves.toMatchObject({ refused: expect.stringContaining('the fleet') })
})

test('a copy that is put back is removed when there are already as many as wanted', async () => {
  const { copies, removed, fill } = openStandby({ size: 2, ready: 3 })
  await fill()
  expect(copies.describe().ready).toHaveLength(2)
  expect(removed).toHaveLength(1)
})

test('a caller that asks for two copies at once reserves one, and one that has gone reserves none', async () => {
  const { copies, removed, fill, connect } = openStandby({ size: 3, ready: 3 })
  await fill()
  const [twice, gone] = [connect(), connect()]
  await Promise.all([twice.open(), twice.open()])
  expect(removed).toHaveLength(1)
  const asked = gone.open()
  gone.end()
  await expect(asked).resolves.toEqual({ none: 'the caller has gone' })
  expect(copies.describe().ready).toHaveLength(1)
  twice.end()
  await eventually(() => expect(removed).toHaveLength(2))
})
