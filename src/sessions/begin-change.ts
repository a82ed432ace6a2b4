import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { wordError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Change, SessionRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { type OwnChange, openChange, type Prepared } from './change.ts'
import { DEAD_RECHECK_MS } from './end.ts'
import { nameHolder } from './holders.ts'
import { ownHolder, startOwnKeeper } from './keeper/client.ts'
import { newLenderSocket } from './lender-socket.ts'
import { makeId } from './make-id.ts'
import { judgeChange, judgeLifetime, readMachine } from './processes.ts'
import { isSameMachine, type NewSession } from './resolve.ts'
import type { StoredRecord } from './store.ts'
import type { ChangeTools } from './tools.ts'
import { undoDead } from './undo-dead.ts'

export function prepareChange(session: Pick<SessionRecord, 'id' | 'name'>, tools: ChangeTools): Prepared {
  const change = makeId()
  return {
    id: session.id,
    change,
    keeper: startOwnKeeper(
      { id: session.id, name: session.name, change, stateFolder: tools.notes?.stateFolder },
      tools.runtime.location.endpoint,
      tools.host,
    ),
  }
}

/**
 * Creates a session whose first change is in progress. Publishes the record first and looks then: of two calls that
 * create the same session at once, at most one proceeds. When another session has that name or another call changes it,
 * waits for it and returns undefined.
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
  const { isHeld, socket, ...identity } = session
  try {
    const begun = await sessions.create({
      ...identity,
      id: prepared.id,
      owner: host.owner,
      machine: by.machine,
      createdAtMs: Date.now(),
      ...(identity.parent === undefined && { lender: { socket: newLenderSocket(prepared.id, host) } }),
      lifetime: isHeld
        ? { kind: 'held', holders: [{ ...by, ...(socket && { socket }) }], keeper }
        : { kind: 'lasting' },
      change: { id: prepared.change, by, keeper, isFirst: true, stage: 'making', replaced: [], starting },
      servers: {},
    })
    const { sessions: all } = await sessions.list({ signal })
    // Either this call sees that its parent has ended, or the call that ends the parent sees this session.
    if (identity.parent !== undefined && !all.some(({ id }) => id === identity.parent)) {
      await sessions.remove(begun.id)
      throw new TestfleetError('NO_SESSION', `the session to which ${begun.name} belongs has ended`)
    }
    const other = all.find((one) => one.id !== begun.id && isSameSession(one, begun))
    if (other === undefined) return openChange(begun, prepared, sessions)
    await sessions.remove(begun.id)
    prepared.keeper.end()
    await waitUntilIdle(other, tools)
    return undefined
  } catch (error) {
    // The keeper removes the record if it exists: the answer to its creation may have been lost.
    prepared.keeper.handOver()
    throw error
  }
}

function isSameSession(one: StoredRecord, other: StoredRecord): boolean {
  if (one.name === other.name) return true
  return one.isDefault && other.isDefault && one.file === other.file && isSameMachine(one.machine, other.machine)
}

/**
 * Begins a change of an existing session. Undefined when another call has changed the session since it was read, or was
 * changing it and has been waited for. Fails with SESSION_BUSY for a session that others hold.
 */
export async function beginChange(
  current: StoredRecord,
  affected: Pick<Change, 'replaced' | 'resumed' | 'starting'>,
  tools: ChangeTools,
): Promise<OwnChange | undefined> {
  if (!(await isFree(current, tools))) return undefined
  const prepared = prepareChange(current, tools)
  const keeper = await prepared.keeper.started
  if (keeper === undefined) warnOfNoKeeper(tools)
  const by = ownHolder(tools.host.processId)
  const change: Change = { id: prepared.change, by, keeper, isFirst: false, stage: 'making', ...affected }
  const record = await tools.sessions.replace(current, { ...current, change }).catch((error: unknown) => {
    prepared.keeper.handOver()
    throw error
  })
  if (record !== undefined) return openChange(record, prepared, tools.sessions)
  prepared.keeper.end()
  return undefined
}

/** Whether this call may change the session as it was read. */
export async function isFree(current: StoredRecord, tools: ChangeTools): Promise<boolean> {
  const here = readMachine()
  if (current.lifetime.kind === 'held' && judgeLifetime(current.lifetime, here, Date.now()) !== 'dead') {
    throw sessionBusy(current)
  }
  return waitForChange(current, tools)
}

/** Whether no call changes the session as it was read. Otherwise waits for that call, or undoes its change if it is dead. */
export async function waitForChange(current: StoredRecord, tools: ChangeTools): Promise<boolean> {
  if (current.change === undefined) return true
  if (judgeChange(current.change, readMachine()) === 'dead') {
    await undoDead(current, tools, { recheckMs: DEAD_RECHECK_MS, isLastTry: true }).catch((error: unknown) => {
      // A server that cannot be put back is started again by this call anyway.
      tools.onEvent({ kind: 'warned', message: wordError(error) })
    })
    return false
  }
  await waitUntilIdle(current, tools)
  return false
}

const POLL_MS = { min: 50, max: 200 } as const

/** Waits until the call that changes the session has ended or died. */
async function waitUntilIdle({ id, name, change }: StoredRecord, tools: ChangeTools): Promise<void> {
  if (change === undefined) return
  const { sessions, signal } = tools
  tools.onEvent({ kind: 'queued', session: name, behind: nameHolder(change.undoing?.by ?? change.by) })
  for (;;) {
    // Random, so that two waiting calls do not keep colliding.
    await sleep(randomInt(POLL_MS.min, POLL_MS.max), undefined, { signal }).catch(() => signal.throwIfAborted())
    const now = await sessions.find(id, { signal })
    if (now?.change?.id !== change.id || judgeChange(now.change, readMachine()) === 'dead') return
  }
}

function warnOfNoKeeper({ onEvent }: ChangeTools): void {
  const message =
    'the keeper process could not be started; if this process is killed, the next call of testfleet cleans up'
  onEvent({ kind: 'warned', message })
}

function sessionBusy({ name, lifetime, change }: StoredRecord): TestfleetError {
  const holder = lifetime.kind === 'held' ? lifetime.holders[0] : change?.by
  const how = lifetime.kind === 'held' ? 'is held by' : 'is being changed by'
  return new TestfleetError('SESSION_BUSY', `the session ${name} ${how} ${nameHolder(holder)}`, {
    hint: `Name another session with ${say('session')}, or wait until that one has ended.`,
  })
}
