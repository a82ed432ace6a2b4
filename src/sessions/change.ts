import { TestfleetError } from '../model/failures.ts'
import type { ServerRecord, SessionRecord } from '../model/session.ts'
import { dismissKeeper } from './end.ts'
import { mergeLifetime } from './holders.ts'
import type { OwnKeeper } from './keeper/client.ts'
import type { SessionStore, StoredRecord } from './store.ts'
import type { SessionTools } from './tools.ts'
import { type UndoOptions, undoChange } from './undo-change.ts'

/**
 * A change that this call makes to a session. States of a session, by its record:
 *
 *     absent ──create──► making ──save──► settling ──finish──► idle ──change──► making …
 *                          │    └────────save, nothing replaced────►│
 *                          └──undo──► idle, or absent when it was the first change
 *     idle, making, settling ──end──► absent
 *
 * `making` belongs to the call named in `change.by`. Whoever finds that call and its keeper dead undoes the change.
 * `end` comes from `down`, from the last holder that leaves or dies, and from the session's time.
 */
export interface OwnChange {
  readonly id: string
  /** The record as this call last stored it. */
  readonly record: StoredRecord
  /** Where others join the session; empty when they cannot. */
  readonly socket: string
  /** Whether `save` has succeeded: the session is what the change was to make of it. */
  readonly isSaved: boolean
  /** Stores what the session is from now on. Fails with NO_SESSION when it was removed meanwhile. */
  save(next: SavedState): Promise<void>
  /** All is done. What could not be removed is left to the keeper. */
  finish(): Promise<void>
  /** Takes the change back. Fails with CLEANUP_FAILED; the keeper then tries again. */
  undo(options: UndoOptions, tools: SessionTools): Promise<void>
  /** How many others hold the session; undefined when nobody can say. */
  leave(): Promise<number | undefined>
  /** The session is gone: its keeper ends. */
  end(): void
  /** Leaves what there is to do to the keeper. */
  leaveAlone(): void
}

export type SavedState = Pick<SessionRecord, 'fleet' | 'domain'> & {
  readonly servers: Readonly<Record<string, ServerRecord>>
  /** What ends the session from now on; undefined leaves its lifetime as it is. */
  readonly lifetime?: { readonly kind: 'lasting' } | { readonly kind: 'until'; readonly untilMs: number } | undefined
}

/** A keeper that was started early, before it was known whether anything has to change. */
export interface Prepared {
  readonly id: string
  readonly change: string
  readonly keeper: OwnKeeper
}

export function openChange(begun: StoredRecord, prepared: Prepared, sessions: SessionStore): OwnChange {
  const { keeper } = prepared
  let record = begun
  let isSaved = false
  const store = async (patch: Partial<SessionRecord>): Promise<void> => {
    const stored =
      (await sessions.replace(record, { ...record, ...patch })) ??
      // Holders come and go meanwhile; the change itself is nobody else's to end.
      (await sessions.update(begun.id, (now) =>
        now.change?.id === prepared.change
          ? { ...now, ...patch, lifetime: mergeLifetime(now.lifetime, patch.lifetime) }
          : undefined,
      ))
    if (stored === undefined) throw removedMeanwhile(begun.name)
    record = stored
  }
  /**
   * An answer that was lost may have stored what the change was to make: whoever undoes it must find the change, and the
   * servers from before it. False when another call has begun a change since: then there is nothing to undo.
   */
  const restore = async (now: StoredRecord | undefined, signal: AbortSignal): Promise<boolean> => {
    if (now?.change !== undefined && now.change.id !== prepared.change) return false
    if (now === undefined || now.change?.stage === 'making') return true
    const restored = await sessions.replace(now, record, { signal })
    return restored !== undefined || restore(await sessions.find(begun.id, { signal }), signal)
  }
  return {
    id: prepared.change,
    get record() {
      return record
    },
    get isSaved() {
      return isSaved
    },
    get socket() {
      return begun.change?.keeper?.socket ?? ''
    },
    async save({ fleet, domain, servers, lifetime: wanted }) {
      const { change, lifetime: earlier } = record
      const isSettled = change === undefined || change.replaced.length === 0
      const holders = earlier.kind === 'held' ? undefined : earlier.holders
      const lifetime = wanted === undefined ? earlier : { ...wanted, keeper: change?.keeper, holders }
      const settling = change && { ...change, stage: 'settling' as const, starting: {} }
      await store({ fleet, domain, servers, lifetime, change: isSettled ? undefined : settling })
      isSaved = true
      if (wanted !== undefined && earlier.kind === 'until') await dismissKeeper(earlier.keeper)
    },
    async finish() {
      if (record.change !== undefined) await store({ change: undefined })
      const { lifetime } = record
      if (lifetime.kind === 'held') return
      const isMine = lifetime.kind === 'until' && lifetime.keeper?.process.pid === begun.change?.keeper?.process.pid
      if (!isMine || !(await keeper.endAt(lifetime.untilMs))) keeper.end()
    },
    async undo(options, later) {
      try {
        const isMine = await restore(await sessions.find(begun.id, later), later.signal)
        if (isMine) await undoChange(record, { ...later, onEvent() {} }, options)
      } finally {
        // It looks once more: what was asked for last may still be on its way.
        keeper.leaveAlone()
      }
    },
    leave: () => keeper.leave(),
    end: () => keeper.end(),
    leaveAlone: () => keeper.leaveAlone(),
  }
}

function removedMeanwhile(name: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `the session ${name} was removed while this call worked on it`, {
    hint: 'Another call has taken it down. Call again to start it.',
  })
}
