import { describe, expect, test } from 'vitest'
import type { Lifetime } from '../model/session.ts'
import { enterSession, leaveSession } from './hold.ts'
import { ownHolder } from './own-keeper.ts'
import { readMachine } from './processes.ts'
import type { StoredRecord } from './record.ts'
import type { SessionTools } from './tools.ts'

const starter = ownHolder(process.ppid)

/** A session whose keeper is dead, and whose every update is made twice, as when another call builds on the first. */
function openSession(): { readonly tools: SessionTools; record(): StoredRecord; holders(): number } {
  const session = { id: '0a1b2c3d', name: 'shop', fleet: 'shop', domain: 'shop.test', file: undefined }
  let record: StoredRecord = {
    ...session,
    ...{ isDefault: false, owner: 'me@here', machine: readMachine(), createdAtMs: 1, change: undefined, servers: {} },
    lifetime: { kind: 'held', holders: [starter], keeper: undefined },
    revision: 1,
    writers: [],
  }
  const update = async (_id: string, change: (now: StoredRecord) => StoredRecord): Promise<StoredRecord> => {
    record = change(change(record))
    return record
  }
  const tools = { sessions: { update, find: async () => record }, signal: new AbortController().signal }
  const holdersOf = (lifetime: Lifetime): number => (lifetime.kind === 'held' ? lifetime.holders.length : 0)
  return { tools: tools as unknown as SessionTools, record: () => record, holders: () => holdersOf(record.lifetime) }
}

describe('a session whose keeper is dead', () => {
  test('is held once by each hold, and left by each once, however often the record is written', async () => {
    const { tools, record, holders } = openSession()
    const first = await enterSession(record(), process.pid, tools)
    const second = await enterSession(record(), process.pid, tools)
    expect(holders()).toBe(3)
    expect(await first.leave(tools)).toBe(2)
    expect(holders()).toBe(2)
    expect(await leaveSession(record().id, starter, async () => undefined, tools)).toBe(1)
    expect(holders()).toBe(1)
    expect(second.record.id).toBe(record().id)
  })
})
