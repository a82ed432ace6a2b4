import { label } from './model/labels.ts'
import { unknownServer } from './model/unknown-server.ts'
import { refuseExternal } from './report/refusals.ts'
import { observeServers } from './report/report.ts'
import { cleanupFailed, endSession, type Removed } from './sessions/end.ts'
import { dependenciesIn, removeInOrder } from './sessions/remove-in-order.ts'
import { requireUnheld } from './sessions/require-unheld.ts'
import type { StoredRecord } from './sessions/store.ts'
import { notifyHolders } from './sessions/taken-down.ts'
import type { Tools } from './tools.ts'

export interface RemovedSession extends Removed {
  readonly session: string
}

export interface DownOptions {
  /** Also when other processes hold the session; without it, that is SESSION_BUSY. */
  readonly isForced: boolean
}

/** Removes a session with everything that it owns. Tries all of it; CLEANUP_FAILED if something stays. */
export async function down(record: StoredRecord, { isForced }: DownOptions, tools: Tools): Promise<RemovedSession> {
  const { processId } = tools.host
  // Nobody uses a standby copy yet.
  if (!isForced && record.isStandby !== true) await requireUnheld(record, tools)
  await notifyHolders(record.lifetime, processId)
  return { session: record.name, ...(await endSession(record, tools, { recheckMs: 0 })) }
}

/** Removes some servers of a session, and leaves the rest. Fails with UNKNOWN_SERVER before anything is touched. */
export async function removeServers(
  record: StoredRecord,
  names: readonly string[],
  { isForced }: DownOptions,
  tools: Tools,
): Promise<RemovedSession> {
  const { runtime, sessions, signal, onEvent } = tools
  const observed = await observeServers(record, runtime, { signal })
  const chosen = names.map((name) => {
    const server = observed.get(name)
    if (server === undefined) throw unknownServer(name, observed.keys())
    refuseExternal(name, server.spec, 'rm')
    return server
  })
  if (!isForced) await requireUnheld(record, tools)
  const containers = chosen.map(({ container }) => container)
  const errors = await removeInOrder(containers, dependenciesIn(record), async (container) => {
    signal.throwIfAborted()
    const name = container.labels[label.server] ?? ''
    onEvent({ kind: 'removing', server: name })
    await runtime.removeServer(container, { signal })
    onEvent({ kind: 'removed', server: name })
  })
  signal.throwIfAborted()
  if (errors.length > 0) throw cleanupFailed(errors)
  await sessions.update(record.id, (now) => ({
    ...now,
    servers: Object.fromEntries(Object.entries(now.servers).filter(([name]) => !names.includes(name))),
  }))
  return { session: record.name, servers: chosen.map(({ name }) => name), networks: 0, volumes: 0 }
}
