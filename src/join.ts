import { observeServers, reportSession } from './report/report.ts'
import { cleanupSignal } from './sessions/cleanup-signal.ts'
import { enterSession, wasTakenDown } from './sessions/hold.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'
import type { Membership } from './up/membership.ts'

/**
 * Joins a session that runs: from then on it stays until this process has left, too. A session of `up` stays anyway, and
 * `down` refuses to end it meanwhile. Fails with NO_SESSION when it is just ending.
 */
export async function joinSession(session: StoredRecord, tools: Tools): Promise<Membership> {
  // Holds it first, so that what is observed cannot go away afterwards.
  const hold = await enterSession(session, tools.host, tools)
  try {
    const { record, socket, takenDown } = hold
    const observed = await observeServers(record, tools.runtime, tools)
    const report = await reportSession(record, observed, new Set(), tools)
    return { record, report, socket, takenDown, end: (later) => hold.leave(later) }
  } catch (error) {
    const later = { ...tools, signal: await cleanupSignal(session.id, tools) }
    const isGone = (await tools.sessions.find(session.id, later).catch(() => session)) === undefined
    await hold.leave(later).catch(() => {})
    throw isGone ? wasTakenDown(session.name, hold.takenDown()) : error
  }
}
