import { findWithSessions } from '../../engine/local/fall-back.ts'
import { listSessions } from '../../list-sessions.ts'
import type { SessionReport } from '../../model/running.ts'
import { observeServers, reportSession } from '../../report/report.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { type CallSettings, hostOf, withSession, withTools } from '../call.ts'
import type { CallOptions, SessionOptions } from '../types/options.ts'
import type { SessionSummary } from '../types/sessions.ts'

export function ps(client: CallSettings, options: SessionOptions): Promise<SessionReport> {
  return withSession(client, options, async (session, tools) =>
    reportSession(session, await observeServers(session, tools.runtime, tools), new Set(), tools),
  )
}

/** Sessions of the local engine are listed, too, when a container engine was found without a name. */
export async function listAll(client: CallSettings, options: CallOptions): Promise<readonly SessionSummary[]> {
  const list = async (tools: Tools, records: readonly StoredRecord[]) => ({
    location: tools.engine.location,
    sessions: await listSessions(records, tools),
  })
  const { location, sessions } = await withTools(client, options, list, { isQuiet: true })
  const other = await findWithSessions(location, hostOf(client))
  if (other === undefined) return sessions
  const more = await withTools({ ...client, engine: other.url }, options, list, { isQuiet: true })
  return [...sessions, ...more.sessions].sort((one, another) => (one.session < another.session ? -1 : 1))
}
