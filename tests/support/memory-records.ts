import type { SessionRecord } from '../../src/model/session.ts'
import type { Runtime, StoredText } from '../../src/runtime/runtime.ts'
import { readMachine } from '../../src/sessions/processes.ts'
import { openStore, type SessionStore } from '../../src/sessions/store.ts'

/** A session without servers that nothing changes. */
export const idleSession: SessionRecord = {
  id: '0a1b2c3d',
  name: 'shop',
  fleet: 'shop',
  domain: 'shop.test',
  file: '/home/me/shop/testfleet.yaml',
  isDefault: true,
  owner: 'me@here',
  machine: readMachine(),
  createdAtMs: 1,
  lifetime: { kind: 'lasting' },
  change: undefined,
  servers: {},
}

/** Records as an engine keeps them in its volumes: creating a name that exists returns what is there. */
export interface MemoryRecords {
  readonly stored: Map<string, StoredText>
  /** What stores them, and nothing else of a runtime; `onCall` is waited for before each call. */
  runtime(onCall?: () => Promise<void>): Runtime
  open(onCall?: () => Promise<void>): SessionStore
}

export function openMemory(): MemoryRecords {
  const stored = new Map<string, StoredText>()
  const keyOf = (session: string, revision: number): string => `${session}.${revision}`
  const runtime: MemoryRecords['runtime'] = (onCall = async () => {}) => {
    const verbs: Pick<Runtime, 'listRecords' | 'storeRecord' | 'removeRecord'> = {
      async listRecords() {
        await onCall()
        return [...stored.values()]
      },
      async storeRecord(record) {
        await onCall()
        const key = keyOf(record.session, record.revision)
        const there = stored.get(key)
        if (there !== undefined) return there.writer
        stored.set(key, { ...record, createdAtMs: 0 })
        return record.writer
      },
      async removeRecord(session, revision) {
        await onCall()
        stored.delete(keyOf(session, revision))
      },
    }
    return verbs as Runtime
  }
  return { stored, runtime, open: (onCall) => openStore(runtime(onCall)) }
}
