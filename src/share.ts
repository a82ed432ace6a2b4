import { setTimeout as sleep } from 'node:timers/promises'
import { findSharedFailure, noteSharedFailure } from './failure/shared-failure.ts'
import { joinSession } from './join.ts'
import { type FailureCode, isFailure, TestfleetError } from './model/failures.ts'
import type { Fleet } from './model/fleet.ts'
import { sweepSessions } from './open-tools.ts'
import { waitForChange } from './sessions/begin-change.ts'
import { findTarget } from './sessions/resolve.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'
import type { Membership } from './up/membership.ts'

/** Between two looks at a session that is just ending. */
const PAUSE_MS = 200
/** After that, the reason is another one: a keeper that does not answer, or a container that has the name. */
const GIVE_UP_MS = 60_000

/** Failures of this call, which another call need not have. */
const isOwn: ReadonlySet<FailureCode> = new Set(['NAME_TAKEN', 'CANCELLED', 'TIMED_OUT'])

/** Name of a session that several processes share. */
export interface SharedName {
  readonly name: string
  /** What named it. */
  readonly by: string
  /** Whether it has to exist. */
  readonly isInherited: boolean
  /** When the call began. */
  readonly sinceMs: number
}

/**
 * Joins a shared session once its start is complete, or starts it. Of several calls at once, one starts it; if that fails,
 * the others fail in the same way. Fails with NAME_TAKEN when the session belongs to another fleet.
 */
export async function enterShared(
  shared: SharedName,
  fleet: Fleet,
  start: () => Promise<Membership>,
  tools: Tools,
): Promise<Membership> {
  const givesUpAtMs = Date.now() + GIVE_UP_MS
  for (;;) {
    const { sessions } = await sweepSessions(tools)
    const target = findTarget({ kind: 'named', ...shared }, fleet, sessions)
    try {
      if (target.kind === 'new') return await startOnce(shared, start, tools)
      if (target.record.change?.isFirst) await waitForChange(target.record, tools)
      else return await join(target.record, tools)
    } catch (error) {
      // Another call has created the session meanwhile, or it is just ending.
      const isEarly = isFailure(error, target.kind === 'new' ? 'NAME_TAKEN' : 'NO_SESSION')
      if (!isEarly || shared.isInherited || Date.now() > givesUpAtMs) throw error
      await sleep(PAUSE_MS, undefined, { signal: tools.signal })
    }
  }
}

function join(record: StoredRecord, tools: Tools): Promise<Membership> {
  tools.onEvent({ kind: 'sessionChosen', session: record.name })
  return joinSession(record, tools)
}

/** Fails as the start of another call failed since this one began. */
async function startOnce(
  { name, isInherited, sinceMs }: SharedName,
  start: () => Promise<Membership>,
  { host }: Tools,
): Promise<Membership> {
  const failure = isInherited ? hasEnded(name) : await findSharedFailure(name, sinceMs, host)
  if (failure !== undefined) throw failure
  try {
    return await start()
  } catch (error) {
    if (error instanceof TestfleetError && !isOwn.has(error.code)) await noteSharedFailure(name, error, host)
    throw error
  }
}

function hasEnded(name: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `there is no session ${name} on this engine`, {
    hint: 'Unset TESTFLEET_SESSION, which names a session that has ended.',
  })
}
