import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions } from '../engine/engine.ts'
import type { SessionRecord } from '../model/session.ts'
import type { Runtime, StoredText } from '../runtime/runtime.ts'
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
  /** Removes the revisions before the newest, which a writer that died has left. */
  tidy(id: string, options?: CallOptions): Promise<void>
  /** Removes all revisions, the newest last: as long as anything is there, so is the record. */
  remove(id: string, options?: CallOptions): Promise<void>
}

/** More calls than can build on a record while one call looks whether its own write counts. */
const MOST_WRITERS = 32

/** Between two tries of an update, so that calls that met do not meet again. */
const PAUSE_MS = 20

export function openStore(runtime: Runtime): SessionStore {
  const store = async (
    next: SessionRecord,
    earlier: Pick<StoredRecord, 'revision' | 'writers'>,
    options?: CallOptions,
  ) => {
    const writer = randomBytes(8).toString('hex')
    const [revision, writers] = [earlier.revision + 1, [writer, ...earlier.writers].slice(0, MOST_WRITERS)]
    const record = { ...next, revision, writers }
    const text = { session: next.id, revision, writer, text: formatRecord(record) }
    const isMine = (await runtime.storeRecord(text, next, options)) === writer
    return isMine ? record : undefined
  }
  const listOf = async (id: string, options?: CallOptions): Promise<StoredText[]> =>
    (await runtime.listRecords(options))
      .filter(({ session }) => session === id)
      .sort((one, other) => one.revision - other.revision)
  const find: SessionStore['find'] = async (id, options) => readRecords(await listOf(id, options)).sessions[0]
  const replace: SessionStore['replace'] = async (current, next, options) => {
    const stored = await store(next, current, options)
    if (stored === undefined) return undefined
    const { id, revision, writers } = stored
    const texts = await listOf(id, options)
    const newest = readRecords(texts).sessions[0]
    // A call that read an old revision can store a number that is free again. What was stored counts if it follows the
    // revision that was read, or if others have built on it since.
    const isNewest = newest?.revision === revision
    const counts = isNewest
      ? texts.some((text) => text.revision === current.revision)
      : newest?.writers.includes(writers[0] ?? '') === true
    if (!counts) {
      await runtime.removeRecord(id, revision, options)
      return undefined
    }
    const old = isNewest ? texts.filter((text) => text.revision < revision) : []
    // An old revision that stays is nobody's record, and goes with the next one.
    await Promise.allSettled(old.map((text) => runtime.removeRecord(id, text.revision, options)))
    return stored
  }
  const update: SessionStore['update'] = async (id, change, options) => {
    for (;;) {
      const current = await find(id, options)
      const next = current && change(current)
      if (current === undefined || next === undefined) return undefined
      const replaced = await replace(current, next, options)
      if (replaced !== undefined) return replaced
      await sleep(PAUSE_MS * (1 + Math.random()), undefined, { ...(options?.signal && { signal: options.signal }) })
    }
  }
  return {
    list: async (options) => readRecords(await runtime.listRecords(options)),
    find,
    async create(record, options) {
      const stored = await store(record, { revision: 0, writers: [] }, options)
      if (stored !== undefined) return stored
      throw new Error(`the id ${record.id} was drawn twice`)
    },
    replace,
    update,
    async tidy(id, options) {
      // By a write like any other: somebody may be building on the newest revision, and needs it to find out whether
      // that counts.
      if ((await listOf(id, options)).length > 1) await update(id, (now) => now, options)
    },
    async remove(id, options) {
      for (const { revision } of await listOf(id, options)) await runtime.removeRecord(id, revision, options)
    },
  }
}
