import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestfleetError } from '../model/failures.ts'
import type { Change, ServerRecord } from '../model/session.ts'
import { type ChangeTools, waitForChange } from './begin-change.ts'
import { ownHolder } from './keeper/client.ts'
import { makeId } from './resolve.ts'
import type { StoredRecord } from './store.ts'

/** What a call has done to servers by the time that it releases its claim. */
export interface Done {
  readonly started: ReadonlySet<string>
  readonly stopped: ReadonlySet<string>
}

/** This call's right to start and stop servers of a session: no other call changes the session meanwhile. */
export interface Claim {
  readonly record: StoredRecord
  /** Records what was done, and lets other calls in. */
  release(done: Done): Promise<void>
}

const RELEASE_TIMEOUT_MS = 60_000
const COLLISION_PAUSE_MS = 50

/**
 * Waits for the call that changes the session, if there is one, and then claims the session. A claim is a change that
 * creates nothing. It needs no keeper: if this process dies, the next call finds the claim and removes it.
 *
 * Fails with NO_SESSION when the session was removed meanwhile.
 *
 * @param starting Servers that the call starts: until the release, `ps` shows them as `starting` and not as `unready`.
 */
export async function claimSession(
  { id, name }: StoredRecord,
  starting: readonly string[],
  tools: ChangeTools,
): Promise<Claim> {
  const { sessions, host, signal } = tools
  for (;;) {
    const current = await sessions.find(id, { signal })
    if (current === undefined) throw removedMeanwhile(name)
    if (!(await waitForChange(current, tools))) continue
    const change: Change = {
      id: makeId(),
      by: ownHolder(host.processId),
      keeper: undefined,
      isFirst: false,
      stage: 'making',
      replaced: [],
      starting: Object.fromEntries(Object.entries(current.servers).filter(([server]) => starting.includes(server))),
    }
    const record = await sessions.replace(current, { ...current, change }, { signal })
    if (record !== undefined) return { record, release: (done) => release(record, change, done, tools) }
    await sleep(randomInt(1, COLLISION_PAUSE_MS), undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

/** With a deadline of its own: the call's signal may be what has ended the work. */
async function release({ id }: StoredRecord, change: Change, done: Done, { sessions }: ChangeTools): Promise<void> {
  const options = { signal: AbortSignal.timeout(RELEASE_TIMEOUT_MS) }
  await sessions.update(
    id,
    (now) => {
      if (now.change?.id !== change.id) return undefined
      const servers = Object.entries(now.servers).map(([name, server]) => [name, mark(name, server, done)])
      return { ...now, change: undefined, servers: Object.fromEntries(servers) }
    },
    options,
  )
}

function mark(name: string, server: ServerRecord, { started, stopped }: Done): ServerRecord {
  if (started.has(name)) return { ...server, isStopped: undefined }
  return stopped.has(name) ? { ...server, isStopped: true } : server
}

function removedMeanwhile(name: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `the session ${name} was removed before this call could change it`, {
    hint: 'Start it again with `testfleet up`.',
  })
}
