import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { findSharedFailure, noteSharedFailure, type SharedKey } from './failure/shared-failure.ts'
import { joinSession } from './join.ts'
import { type FailureCode, isFailure, TestfleetError } from './model/failures.ts'
import type { Fleet } from './model/fleet.ts'
import { sweepSessions } from './open-tools.ts'
import { waitForChange } from './sessions/begin-change.ts'
import { findTarget } from './sessions/resolve.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'
import type { Membership } from './up/membership.ts'
import type { SharedStart } from './up/plan-up.ts'

/** Between two tries: random, so that two calls do not keep colliding, and longer each time. */
const PAUSE_MS = { min: 50, max: 1000 } as const
/** After some minutes, the reason is another one: a keeper that does not answer, or a container that has the name. */
const MOST_TRIES = 300

/** Failures of this call, which another call need not have. */
const isOwn: ReadonlySet<FailureCode> = new Set(['CANCELLED', 'TIMED_OUT'])

type StartShared = (onFailed: undefined, shared: SharedStart) => Promise<Membership>

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
  start: StartShared,
  tools: Tools,
): Promise<Membership> {
  const key = { name: shared.name, fleet: fleet.file ?? fleet.name, engine: tools.runtime.location.url }
  for (let tries = 1; ; tries++) {
    const { sessions } = await sweepSessions(tools)
    const target = findTarget({ kind: 'named', ...shared }, fleet, sessions)
    try {
      if (target.kind === 'new') return await startOnce(shared, key, start, tools)
      if (target.record.change?.isFirst) await waitForChange(target.record, tools)
      else return await join(target.record, key, shared.sinceMs, tools)
    } catch (error) {
      // Another call has created the session meanwhile, or it is just ending.
      const isEarly = isFailure(error, target.kind === 'new' ? 'NAME_TAKEN' : 'NO_SESSION')
      if (!isEarly || shared.isInherited || tries >= MOST_TRIES) throw error
      const longestMs = Math.min(PAUSE_MS.min * (tries + 3), PAUSE_MS.max)
      await sleep(randomInt(PAUSE_MS.min, longestMs), undefined, { signal: tools.signal })
    }
  }
}

async function join(record: StoredRecord, key: SharedKey, sinceMs: number, tools: Tools): Promise<Membership> {
  // What a failed start has kept needs no holder.
  const failure = record.lifetime.kind === 'held' ? undefined : await findSharedFailure(key, sinceMs, tools.host)
  if (failure !== undefined) throw failure
  tools.onEvent({ kind: 'sessionChosen', session: record.name })
  return joinSession(record, tools)
}

/** Fails as the start of another call failed since this one began. */
async function startOnce(
  { name, isInherited, sinceMs }: SharedName,
  key: SharedKey,
  start: StartShared,
  { host }: Tools,
): Promise<Membership> {
  const failure = isInherited ? hasEnded(name) : await findSharedFailure(key, sinceMs, host)
  if (failure !== undefined) throw failure
  // Noted while the session still exists: a call that waits for it looks at the note when it is gone.
  return start(undefined, {
    async onFailing(error) {
      if (error instanceof TestfleetError && !isOwn.has(error.code)) await noteSharedFailure(key, error, host)
    },
  })
}

function hasEnded(name: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `there is no session ${name} on this engine`, {
    hint: 'Unset TESTFLEET_SESSION, which names a session that has ended.',
  })
}
