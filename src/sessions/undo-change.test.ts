import { describe, expect, test } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Change, ServerRecord, SessionRecord } from '../model/session.ts'
import { isFree } from './begin-change.ts'
import { readMachine } from './processes.ts'
import type { StoredRecord } from './store.ts'
import { undoChange } from './undo-change.ts'
import { undoDead } from './undo-dead.ts'

const web: ServerRecord = {
  container: 'old',
  hostname: 'web.shop.test',
  aliases: [],
  dependsOn: [],
  ports: [],
  ready: [],
  readyTimeoutMs: 1000,
  export: {},
  secrets: [],
  authority: undefined,
}

const change: Change = {
  id: 'c4a46e00',
  by: { machine: readMachine(), process: { pid: 1, startedAt: '' } },
  keeper: undefined,
  isFirst: false,
  stage: 'making',
  replaced: [{ server: 'web', container: 'old', ran: false }],
  starting: {},
}

const record: SessionRecord = { ...idleSession, change, servers: { web } }

test('undoing a change restores the earlier servers in the record, even after its call has saved', async () => {
  const memory = openMemory()
  const sessions = memory.open()
  const making = await sessions.create(record)
  await sessions.replace(making, {
    ...record,
    change: { ...change, stage: 'settling' },
    lifetime: { kind: 'until', untilMs: 1, keeper: undefined },
    servers: { web: { ...web, container: 'new' } },
  })
  const nothing = async () => ({ servers: [], networks: [], volumes: [] })
  const runtime = Object.assign(memory.runtime(), {
    observe: nothing,
    listServers: async () => [],
    removeUnfinishedImages: async () => {},
  })
  const tools = { runtime, sessions, onEvent() {}, signal: new AbortController().signal }
  await undoChange(making, tools, { recheckMs: 0 })
  const found = await sessions.find(record.id)
  expect(found?.change).toBeUndefined()
  expect(found).toMatchObject({ lifetime: { kind: 'lasting' }, servers: { web: { container: 'old' } } })
})

/** A container that can be found, or not, and the record of a dead call that was exchanging it. */
async function openDead(container: { state?: 'exited' | 'running'; startError?: TestfleetError }) {
  const memory = openMemory()
  const sessions = memory.open()
  const by = { machine: readMachine(), process: { pid: 2 ** 22, startedAt: '1' } }
  const replaced = [{ server: 'web', container: 'old', ran: true }]
  const begun = { ...change, by, replaced }
  const dead = { ...(await sessions.create({ ...record, change: begun })), change: begun } satisfies StoredRecord
  const done: string[] = []
  const missing = new TestfleetError('NOT_FOUND', 'No such container: old')
  const runtime = Object.assign(memory.runtime(), {
    observe: async () => ({ servers: [], networks: [], volumes: [] }),
    listServers: async () => [],
    removeUnfinishedImages: async () => {},
    async startServer(id: string) {
      done.push(`start ${id}`)
      if (container.startError !== undefined) throw container.startError
    },
    async inspectServer() {
      if (container.state === undefined) throw missing
      return { state: container.state }
    },
  })
  const tools = {
    runtime: runtime as never,
    sessions,
    host: currentHost(),
    signal: new AbortController().signal,
    onEvent() {},
  }
  return { tools, sessions, dead, done, missing, container }
}

describe('the undo of an exchange whose call has died', () => {
  const options = { recheckMs: 0 }

  test('is made by one of several calls that find it', async () => {
    const { tools, sessions, dead, done } = await openDead({ state: 'running' })
    const undone = await Promise.all([1, 2, 3].map(() => undoDead(dead, tools, options)))
    expect(done).toEqual(['start old'])
    expect(undone.flatMap((one) => one?.back ?? [])).toEqual(['web'])
    expect((await sessions.find(record.id))?.change).toBeUndefined()
  })

  test('counts a container that is gone as gone, and does not wait until it is ready', async () => {
    for (const startError of [new TestfleetError('NOT_FOUND', 'No such container: old'), undefined]) {
      const { tools, dead, missing } = await openDead({ ...(startError && { startError }) })
      let waited = 0
      const awaitReady = async () => {
        waited++
        throw missing
      }
      const undone = await undoChange(dead, tools, { ...options, awaitReady })
      expect([undone.back, waited]).toEqual(startError === undefined ? [['web'], 1] : [[], 0])
    }
  })

  test('is tried again by the next call when the engine fails', async () => {
    const startError = new TestfleetError('ENGINE_REFUSED', 'out of luck')
    const { tools, sessions, dead, container } = await openDead({ state: 'exited', startError })
    await expect(undoDead(dead, tools, options)).rejects.toMatchObject({
      code: 'CLEANUP_FAILED',
      message: expect.stringContaining('out of luck'),
    })
    const left = await sessions.find(record.id)
    if (left?.change === undefined) throw new Error('the change is gone')
    expect(left.change.undoing).toBeUndefined()
    delete container.startError
    expect(await undoDead(left, tools, options)).toMatchObject({ back: ['web'] })
    expect((await sessions.find(record.id))?.change).toBeUndefined()
  })

  test('is waited for by a call that changes the session, until it is done or has taken too long', async () => {
    const { tools, sessions, dead, done } = await openDead({ state: 'running' })
    const by = { machine: readMachine(), process: { pid: process.pid, startedAt: '' } }
    const undoneUntil = (untilMs: number) => ({ ...dead, change: { ...dead.change, undoing: { by, untilMs } } })
    const other = await sessions.replace(dead, undoneUntil(Date.now() + 3_600_000))
    const queued: string[] = []
    const onEvent = (event: { kind: string }): void => {
      if (event.kind !== 'queued') return
      queued.push(event.kind)
      void sessions.update(record.id, (now) => ({ ...now, ...undoneUntil(1) }))
    }
    expect(other && (await isFree(other, { ...tools, onEvent }))).toBe(false)
    expect([queued, done]).toEqual([['queued'], []])
    const late = await sessions.find(record.id)
    expect(late && (await undoDead(late, tools, options))).toMatchObject({ back: ['web'] })
  })
})
