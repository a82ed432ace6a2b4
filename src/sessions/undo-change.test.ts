import { expect, test } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import type { Change, ServerRecord, SessionRecord } from '../model/session.ts'
import { readMachine } from './processes.ts'
import { undoChange } from './undo-change.ts'

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
