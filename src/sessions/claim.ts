import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestfleetError } from '../model/failures.ts'
import type { Change, ReplacedServer, ServerRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { waitForChange } from './begin-change.ts'
import { ownHolder } from './keeper/client.ts'
import { makeId } from './make-id.ts'
import type { StoredRecord } from './store.ts'
import type { ChangeTools } from './tools.ts'

/** Servers that a call has changed by the time it releases its claim. */
export interface Done {
  readonly started: ReadonlySet<string>
  readonly stopped: ReadonlySet<string>
}

/** Right of this call to start and stop servers of a session. No other call changes the session in the meantime. */
export interface Claim {
  readonly record: StoredRecord
  /** Id of the claim, which the label `dev.testfleet.change` of everything has that the call creates. */
  readonly id: string
  /** Records what was done, and admits other calls. */
  release(done: Done): Promise<void>
  /** Stores servers with new containers: from now on, those that they replace are only left to remove. */
  save(servers: Readonly<Record<string, ServerRecord>>): Promise<void>
}

const RELEASE_TIMEOUT_MS = 60_000
const COLLISION_PAUSE_MS = 50

/**
 * Waits for the call that changes the session, if there is one, and then claims the session. A claim needs no keeper: if
 * this process dies, the next call finds the claim, removes what it created, and starts what it `replaces` again.
 *
 * `starting` names the servers that the call starts: until the release, `ps` shows them as `starting` and not as
 * `unready`. Fails with NO_SESSION when the session was removed in the meantime.
 */
export async function claimSession(
  { id, name }: StoredRecord,
  starting: readonly string[],
  tools: ChangeTools,
  replaces: readonly ReplacedServer[] = [],
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
      replaced: replaces,
      starting: Object.fromEntries(Object.entries(current.servers).filter(([server]) => starting.includes(server))),
    }
    const record = await sessions.replace(current, { ...current, change }, { signal })
    if (record !== undefined) return openClaim(record, change, tools)
    await sleep(randomInt(1, COLLISION_PAUSE_MS), undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

function openClaim(record: StoredRecord, change: Change, tools: ChangeTools): Claim {
  return {
    record,
    id: change.id,
    release: (done) => release(record, change, done, tools),
    async save(servers) {
      const saved = await tools.sessions.update(
        record.id,
        (now) =>
          now.change?.id === change.id
            ? {
                ...now,
                servers: { ...now.servers, ...servers },
                change: { ...change, stage: 'settling', starting: {} },
              }
            : undefined,
        { signal: tools.signal },
      )
      if (saved === undefined) throw removedMeanwhile(record.name)
    },
  }
}

/** Releases a claim, with a separate deadline: the call's signal may already have fired. */
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
    hint: say('startAgain'),
  })
}
