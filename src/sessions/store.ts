import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions } from '../engine/engine.ts'
import type { SessionRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { formatRecord, type Records, readRecords, type StoredRecord } from './record.ts'

/**
 * The records of all sessions, as the runtime stores them. A record is replaced by storing its next revision and then
 * removing the one before; of two calls that replace the same revision, exactly one succeeds.
 */
export interface SessionStore {
  list(options?: CallOptions): Promise<Records>
  /** The record as it is now; undefined once the session has gone. */
  find(id: string, options?: CallOptions): Promise<StoredRecord | undefined>
  create(record: SessionRecord, options?: CallOptions): Promise<StoredRecord>
  /** Undefined when somebody else has replaced or removed it since it was read. */
  replace(current: StoredRecord, next: SessionRecord, options?: CallOptions): Promise<StoredRecord | undefined>
  /**
   * Replaces the record by what `change` makes of it, however many others do the same at once. Undefined once the
   * session has gone, or when `change` returns undefined.
   */
  update(
    id: string,
    change: (current: StoredRecord) => SessionRecord | undefined,
    options?: CallOptions,
  ): Promise<StoredRecord | undefined>
  /** Removes all revisions, the newest last: as long as anything is there, so is the record. */
  remove(id: string, options?: CallOptions): Promise<void>
}

/** Between two tries of an update, so that calls that met do not meet again. */
const PAUSE_MS = 20

export function openStore(runtime: Runtime): SessionStore {
  const store = async (record: SessionRecord, revision: number, options?: CallOptions): Promise<boolean> => {
    const writer = randomBytes(8).toString('hex')
    const stored = { session: record.id, revision, writer, text: formatRecord(record) }
    return (await runtime.storeRecord(stored, record, options)) === writer
  }
  const revisionsOf = async (id: string, options?: CallOptions): Promise<number[]> =>
    (await runtime.listRecords(options))
      .flatMap(({ session, revision }) => (session === id ? [revision] : []))
      .sort((one, other) => one - other)
  const find: SessionStore['find'] = async (id, options) => {
    const stored = await runtime.listRecords(options)
    return readRecords(stored.filter(({ session }) => session === id)).sessions[0]
  }
  const replace: SessionStore['replace'] = async (current, next, options) => {
    const revision = current.revision + 1
    if (!(await store(next, revision, options))) return undefined
    // Another call may have gone further, and have removed the revision that this one was to follow.
    const revisions = await revisionsOf(current.id, options)
    if (!revisions.includes(current.revision) || revisions.at(-1) !== revision) {
      await runtime.removeRecord(current.id, revision, options)
      return undefined
    }
    const old = revisions.filter((one) => one < revision)
    await Promise.all(old.map((one) => runtime.removeRecord(current.id, one, options)))
    return { ...next, revision }
  }
  return {
    list: async (options) => readRecords(await runtime.listRecords(options)),
    find,
    async create(record, options) {
      if (await store(record, 1, options)) return { ...record, revision: 1 }
      throw new Error(`the id ${record.id} was drawn twice`)
    },
    replace,
    async update(id, change, options) {
      for (;;) {
        const current = await find(id, options)
        const next = current && change(current)
        if (current === undefined || next === undefined) return undefined
        const replaced = await replace(current, next, options)
        if (replaced !== undefined) return replaced
        await sleep(PAUSE_MS * (1 + Math.random()), undefined, { ...(options?.signal && { signal: options.signal }) })
      }
    },
    async remove(id, options) {
      for (;;) {
        const revisions = await revisionsOf(id, options)
        if (revisions.length === 0) return
        for (const revision of revisions) await runtime.removeRecord(id, revision, options)
        // A call that was replacing it meanwhile has to learn that it is gone: another look.
      }
    },
  }
}
