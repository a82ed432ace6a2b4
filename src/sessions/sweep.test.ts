import { expect, test } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import type { Change, SessionRecord } from '../model/session.ts'
import { isFree } from './begin-change.ts'
import { readMachine } from './processes.ts'
import type { SessionStore, StoredRecord } from './store.ts'
import { sweep } from './sweep.ts'

/** A process id that no process of this machine has. */
const dead = { machine: readMachine(), process: { pid: 2 ** 22, startedAt: '1' } }
const change: Change = {
  id: 'c4a46e00',
  by: dead,
  keeper: undefined,
  isFirst: true,
  stage: 'making',
  replaced: [],
  starting: {},
}

const record: SessionRecord = { ...idleSession, change }

/** Tools for a sweep; `asked` counts how often it lists resources. */
async function openTools(save: (sessions: SessionStore, current: StoredRecord) => Promise<unknown>) {
  const memory = openMemory()
  const sessions = memory.open()
  const making = await sessions.create(record)
  const asked = { count: 0 }
  const runtime = Object.assign(memory.runtime(), {
    async observe() {
      asked.count++
      return { servers: [], networks: [], volumes: [] }
    },
    removeUnfinishedImages: async () => {},
    listSavedImages: async () => [],
  })
  // Between reading the record and checking its process, the call saves its change and ends.
  const list: SessionStore['list'] = async () => {
    const found = await sessions.list()
    const [current] = found.sessions
    if (current?.change !== undefined) await save(sessions, current)
    return found
  }
  const signal = new AbortController().signal
  const tools = { runtime, sessions: { ...sessions, list }, onEvent() {}, signal, host: currentHost() }
  return { tools, making, asked }
}

const finish = (sessions: SessionStore, current: StoredRecord) =>
  sessions.replace(current, { ...current, change: undefined })

test('a session is not swept if its call saves it and ends just after its record was read', async () => {
  const { tools, asked } = await openTools(finish)
  const { sessions } = await sweep(tools, async () => {})
  expect(sessions.map(({ id, change: now }) => [id, now])).toEqual([[record.id, undefined]])
  expect(asked.count).toBe(0)
})

test('a session that is already gone is not looked up again', async () => {
  const { tools, asked } = await openTools((sessions, { id }) => sessions.remove(id))
  expect((await sweep(tools, async () => {})).sessions).toEqual([])
  expect(asked.count).toBe(0)
})

test('a change is not undone by a waiting call if it was saved in the meantime', async () => {
  const { tools, making, asked } = await openTools(finish)
  await tools.sessions.list()
  expect(await isFree(making, tools)).toBe(false)
  expect(asked.count).toBe(0)
  expect((await tools.sessions.find(record.id))?.change).toBeUndefined()
})

test('an unchanged session of a dead call is swept', async () => {
  const { tools, asked } = await openTools(async () => {})
  expect((await sweep(tools, async () => {})).sessions).toEqual([])
  expect(asked.count).toBeGreaterThan(0)
})
