import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions } from '../engine/engine.ts'
import type { SessionRecord } from '../model/session.ts'
import type { Runtime, StoredText } from '../runtime/runtime.ts'
import { formatRecord, parseRecord, type StoredRecord } from './parse-record.ts'

export type { StoredRecord } from './parse-record.ts'

/**
 * Stores the records of all sessions in the runtime. A record is replaced by storing its next revision and then
 * removing the previous one; of two calls that replace the same revision, exactly one succeeds.
 */
export interface SessionStore {
  list(options?: CallOptions): Promise<Records>
  /** Returns the current record; undefined when the session is gone. */
  find(id: string, options?: CallOptions): Promise<StoredRecord | undefined>
  create(record: SessionRecord, options?: CallOptions): Promise<StoredRecord>
  /** Replaces the record; undefined when another call has replaced or removed it since it was read. */
  replace(current: StoredRecord, next: SessionRecord, options?: CallOptions): Promise<StoredRecord | undefined>
  /**
   * Replaces the record by the result of `change`, retrying while other calls do the same. Undefined when the session
   * is gone, or when `change` returns undefined.
   */
  update(
    id: string,
    change: (current: StoredRecord) => SessionRecord | undefined,
    options?: CallOptions,
  ): Promise<StoredRecord | undefined>
  /** Removes old revisions that a dead writer has left. */
  tidy(id: string, options?: CallOptions): Promise<void>
  /** Removes all revisions, the newest last, so that the record exists as long as anything of it does. */
  remove(id: string, options?: CallOptions): Promise<void>
}

/** Exceeds the number of calls that can replace a record while one call checks whether its own write counts. */
const MOST_WRITERS = 32

/** Pause between two tries of an update, so that calls do not keep colliding. */
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
    // A call that read an old revision may store a number that has become free again. Its write counts if it follows
    // the revision that was read, or if later revisions build on it.
    const isNewest = newest?.revision === revision
    const counts = isNewest
      ? texts.some((text) => text.revision === current.revision)
      : newest?.writers.includes(writers[0] ?? '') === true
    if (!counts) {
      await runtime.removeRecord(id, revision, options)
      return undefined
    }
    const old = isNewest ? texts.filter((text) => text.revision < revision) : []
    // A remaining old revision is harmless; the next replacement removes it.
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
      // Writes a new revision instead of just removing old ones: a concurrent writer may need the newest one to check
      // whether its write counts.
      if ((await listOf(id, options)).length > 1) await update(id, (now) => now, options)
    },
    async remove(id, options) {
      for (;;) {
        const texts = await listOf(id, options)
        if (texts.length === 0) return runtime.forgetSession?.(id)
        for (const { revision } of texts) await runtime.removeRecord(id, revision, options)
        // A call that was replacing the record meanwhile must notice that it is gone: look again.
      }
    },
  }
}

/** A record in another format, perhaps of another version of testfleet. It is never changed. */
export interface UnreadableRecord {
  readonly id: string
  readonly createdAtMs: number
}

export interface Records {
  readonly sessions: readonly StoredRecord[]
  readonly unreadable: readonly UnreadableRecord[]
}

/** Returns the newest revision of each session's record, sorted by session name. */
export function readRecords(stored: readonly StoredText[]): Records {
  const newest = new Map<string, StoredText>()
  for (const text of stored) {
    const known = newest.get(text.session)
    if (known === undefined || known.revision < text.revision) newest.set(text.session, text)
  }
  const sessions: StoredRecord[] = []
  const unreadable: UnreadableRecord[] = []
  for (const text of newest.values()) {
    const record = parseRecord(text)
    if (record === undefined) unreadable.push({ id: text.session, createdAtMs: text.createdAtMs })
    else sessions.push(record)
  }
  return { sessions: sessions.sort((one, other) => (one.name < other.name ? -1 : 1)), unreadable }
}
