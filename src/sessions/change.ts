import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { Change, Lifetime, ServerRecord, SessionRecord } from '../model/session.ts'
import { dismissKeeper } from './end-session.ts'
import { judgeChange, judgeLifetime } from './judge.ts'
import { makeId } from './name.ts'
import { type OwnKeeper, ownHolder, startOwnKeeper } from './own-keeper.ts'
import { readMachine } from './processes.ts'
import type { StoredRecord } from './record.ts'
import { isSameMachine } from './resolve.ts'
import type { SessionTools } from './tools.ts'
import { type UndoOptions, undoChange } from './undo-change.ts'

export interface ChangeTools extends SessionTools {
  readonly host: Host
}

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

/** Of a session that is not there yet. */
export type NewSession = Pick<SessionRecord, 'name' | 'fleet' | 'domain' | 'file' | 'isDefault'> & {
  readonly isHeld: boolean
}

/** A keeper that was started early, before it was known whether anything has to change. */
export interface Prepared {
  readonly id: string
  readonly change: string
  readonly keeper: OwnKeeper
}

export function prepareChange(session: Pick<SessionRecord, 'id' | 'name'>, tools: ChangeTools): Prepared {
  const change = makeId()
  return { id: session.id, change, keeper: startOwnKeeper({ ...session, change }, tools.runtime, tools.host) }
}

/**
 * Creates a session, with a change in progress. Publishes it first and looks then: of two calls that create the same
 * session at once, at most one goes on. Undefined when another one is in the way, which has then been waited for.
 */
export async function createSession(
  session: NewSession,
  starting: Change['starting'],
  prepared: Prepared,
  tools: ChangeTools,
): Promise<OwnChange | undefined> {
  const { sessions, host, signal } = tools
  const keeper = await prepared.keeper.started
  if (keeper === undefined) warnOfNoKeeper(tools)
  const by = ownHolder(host.processId)
  const { isHeld, ...identity } = session
  try {
    const begun = await sessions.create({
      ...identity,
      id: prepared.id,
      owner: host.owner,
      machine: by.machine,
      createdAtMs: Date.now(),
      lifetime: isHeld ? { kind: 'held', holders: [by], keeper } : { kind: 'lasting' },
      change: { id: prepared.change, by, keeper, stage: 'making', replaced: [], starting },
      servers: {},
    })
    const { sessions: all } = await sessions.list({ signal })
    const other = all.find((one) => one.id !== begun.id && isSameSession(one, begun))
    if (other === undefined) return openChange(begun, prepared, tools)
    await sessions.remove(begun.id)
    prepared.keeper.end()
    await waitUntilIdle(other, tools)
    return undefined
  } catch (error) {
    // It removes the record, should that be there: the answer to its creation may be what was lost.
    prepared.keeper.leaveAlone()
    throw error
  }
}

function isSameSession(one: StoredRecord, other: StoredRecord): boolean {
  if (one.name === other.name) return true
  return one.isDefault && other.isDefault && one.file === other.file && isSameMachine(one.machine, other.machine)
}

/**
 * Begins a change of a session that is there. Undefined when it is no longer as it was read: somebody else has changed
 * it, or was changing it and has been waited for. Fails with SESSION_BUSY for a session that others hold.
 */
export async function beginChange(
  current: StoredRecord,
  affected: Pick<Change, 'replaced' | 'starting'>,
  tools: ChangeTools,
): Promise<OwnChange | undefined> {
  if (!(await isFree(current, tools))) return undefined
  const prepared = prepareChange(current, tools)
  const keeper = await prepared.keeper.started
  if (keeper === undefined) warnOfNoKeeper(tools)
  const by = ownHolder(tools.host.processId)
  const change: Change = { id: prepared.change, by, keeper, stage: 'making', ...affected }
  const record = await tools.sessions.replace(current, { ...current, change }).catch((error: unknown) => {
    prepared.keeper.leaveAlone()
    throw error
  })
  if (record !== undefined) return openChange(record, prepared, tools)
  prepared.keeper.end()
  return undefined
}

/** Whether this call may change the session as it was read. */
export async function isFree(current: StoredRecord, tools: ChangeTools): Promise<boolean> {
  const here = readMachine()
  if (current.lifetime.kind === 'held' && judgeLifetime(current.lifetime, here, Date.now()) !== 'dead') {
    throw sessionBusy(current)
  }
  if (current.change === undefined) return true
  if (judgeChange(current.change, here) === 'dead') {
    await undoChange(current, tools, { settleMs: 0 })
    return false
  }
  await waitUntilIdle(current, tools)
  return false
}

const POLL_MS = { min: 50, max: 200 } as const

/** Waits for the call that changes a session, for as long as it lives. */
async function waitUntilIdle({ id, name, change }: StoredRecord, tools: ChangeTools): Promise<void> {
  if (change === undefined) return
  const { sessions, signal } = tools
  tools.onEvent({ kind: 'queued', session: name, behind: describeHolder(change.by) })
  for (;;) {
    // Two calls that met go on at different times.
    await sleep(randomInt(POLL_MS.min, POLL_MS.max), undefined, { signal }).catch(() => signal.throwIfAborted())
    const now = await sessions.find(id, { signal })
    if (now?.change?.id !== change.id || judgeChange(change, readMachine()) === 'dead') return
  }
}

function openChange(begun: StoredRecord, prepared: Prepared, tools: ChangeTools): OwnChange {
  const { keeper } = prepared
  const { sessions } = tools
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
      const lifetime = wanted === undefined ? earlier : { ...wanted, keeper: change?.keeper }
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

/** Holders come and go while a change is made. */
function mergeLifetime(now: Lifetime, next: Lifetime | undefined): Lifetime {
  return next === undefined || (now.kind === 'held' && next.kind === 'held') ? now : next
}

function warnOfNoKeeper({ onEvent }: ChangeTools): void {
  const message =
    'the process that cleans up after this one could not be started; if this one is killed, the next call of testfleet cleans up'
  onEvent({ kind: 'warned', message })
}

function sessionBusy({ name, lifetime, change }: StoredRecord): TestfleetError {
  const holder = lifetime.kind === 'held' ? lifetime.holders[0] : change?.by
  const how = lifetime.kind === 'held' ? 'is held by' : 'is being changed by'
  return new TestfleetError('SESSION_BUSY', `the session ${name} ${how} ${describeHolder(holder)}`, {
    hint: 'Name another session with --session, or wait until that one has ended.',
  })
}

export function describeHolder(holder: Pick<Change['by'], 'machine' | 'process'> | undefined): string {
  return holder === undefined ? 'another call' : `process ${holder.process.pid} of ${holder.machine.name}`
}

function removedMeanwhile(name: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `the session ${name} was removed while this call worked on it`, {
    hint: 'Another call has taken it down. Call again to start it.',
  })
}
