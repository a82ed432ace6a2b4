import { dirname } from 'node:path'
import { label } from './model/labels.ts'
import { describeHolder, findHolders } from './sessions/holders.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

/** A session as `ps --all` shows it. */
export interface SessionSummary {
  readonly session: string
  /** URL of its engine. */
  readonly engine: string
  /** The id that is the label of everything that the session owns. */
  readonly id: string
  readonly fleet: string
  /** Folder of its fleet file; undefined for a fleet that a program gave as an object. */
  readonly folder: string | undefined
  /** user@host */
  readonly owner: string
  readonly ageMs: number
  /** The processes that hold it; empty for a session that nobody holds. */
  readonly heldBy: readonly string[]
  /** `changing` while a call works on it; `standby` for a ready copy that nobody has used yet. */
  readonly state: 'up' | 'changing' | 'standby'
  /** When it ends by itself, in milliseconds since 1970. */
  readonly untilMs: number | undefined
  readonly servers: number
  readonly running: number
}

/** Every session on the engine, in the order of their names. */
export async function listSessions(
  records: readonly StoredRecord[],
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
): Promise<SessionSummary[]> {
  const containers = await runtime.listServers({ [label.session]: '' }, { signal })
  return records.map((record) => {
    const { id, name: session, fleet, file, owner, createdAtMs, lifetime, change, isStandby } = record
    const own = containers.filter(({ labels }) => labels[label.session] === id)
    return {
      session,
      engine: runtime.location.url,
      id,
      fleet,
      folder: file === undefined ? undefined : dirname(file),
      owner,
      ageMs: Math.max(Date.now() - createdAtMs, 0),
      heldBy: (lifetime.kind === 'held' ? lifetime.holders : findHolders(lifetime)).map(describeHolder),
      state: change !== undefined ? 'changing' : isStandby === true ? 'standby' : 'up',
      untilMs: lifetime.kind === 'until' ? lifetime.untilMs : undefined,
      servers: Math.max(Object.keys(record.servers).length, own.length),
      running: own.filter(({ state }) => state === 'running').length,
    }
  })
}
