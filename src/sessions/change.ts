import { TestfleetError } from '../model/failures.ts'
import type { ServerRecord, SessionRecord } from '../model/session.ts'
import { dismissKeeper } from './end.ts'
import { mergeLifetime } from './holders.ts'
import type { OwnKeeper } from './keeper/client.ts'
import type { SessionStore, StoredRecord } from './store.ts'
import type { SessionTools } from './tools.ts'
import { type UndoOptions, undoChange } from './undo-change.ts'

/**
 * A change that this call makes to a session. States of a session, as its record shows them:
 *
 *     absent ──create──► making ──save──► settling ──finish──► idle ──change──► making …
 *                          │    └────────save, nothing replaced────►│
 *                          └──undo──► idle, or absent when it was the first change
 *     idle, making, settling ──end──► absent
 *
 * `making` belongs to the call named in `change.by`. If that call and its keeper are dead, the next call undoes the change.
 * `end` comes from `down`, from the last holder that leaves or dies, or from the end of the session's lifetime.
 */
export interface OwnChange {
  readonly id: string
  /** The record as this call last stored it. */
  readonly record: StoredRecord
  /** Path of the socket at which others join the session; empty when they cannot. */
  readonly socket: string
  /** Whether `save` has succeeded, so that the session is as desired. */
  readonly isSaved: boolean
  /** Stores the new state of the session. Fails with NO_SESSION when it was removed in the meantime. */
  save(next: SavedState): Promise<void>
  /** Removes the replaced servers and ends the change. The keeper removes what could not be removed. */
  finish(): Promise<void>
  /** Undoes the change. Fails with CLEANUP_FAILED; the keeper then tries again. */
  undo(options: UndoOptions, tools: SessionTools): Promise<void>
  /** Resolves with the number of other holders; undefined when unknown. */
  leave(): Promise<number | undefined>
  /** Ends the keeper, because the session is gone. */
  end(): void
  /** Leaves the remaining work to the keeper. */
  handOver(): void
}

export type SavedState = Pick<SessionRecord, 'fleet' | 'domain'> & {
  readonly servers: Readonly<Record<string, ServerRecord>>
  /** New lifetime of the session; undefined keeps the current one. */
  readonly lifetime?: { readonly kind: 'lasting' } | { readonly kind: 'until'; readonly untilMs: number } | undefined
}

/** A keeper that was started early, before it is known whether anything has to change. */
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
      // Holders may have changed since; the change itself is this call's own.
      (await sessions.update(begun.id, (now) =>
        now.change?.id === prepared.change
          ? { ...now, ...patch, lifetime: mergeLifetime(now.lifetime, patch.lifetime) }
          : undefined,
      ))
    if (stored === undefined) throw removedMeanwhile(begun.name)
    record = stored
  }
  /**
   * Restores the record from before the change. `save` may have stored the new state although its answer was lost.
   * False when another call has begun a change since, so that there is nothing to undo.
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
        // The keeper looks again: a request may still be on its way to the engine.
        keeper.handOver()
      }
    },
    leave: () => keeper.leave(),
    end: () => keeper.end(),
    handOver: () => keeper.handOver(),
  }
}

function removedMeanwhile(name: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `the session ${name} was removed while this call was working on it`, {
    hint: 'Run the command again to start a new session: another call has taken this one down.',
  })
}
