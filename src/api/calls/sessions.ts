import { listSessions } from '../../list-sessions.ts'
import type { SessionReport } from '../../model/running.ts'
import { observeServers, reportSession } from '../../report/report.ts'
import { type CallSettings, withSession, withTools } from '../call.ts'
import type { CallOptions, SessionOptions } from '../types/options.ts'
import type { SessionSummary } from '../types/sessions.ts'

export function ps(client: CallSettings, options: SessionOptions): Promise<SessionReport> {
  return withSession(client, options, async (session, tools) =>
    reportSession(session, await observeServers(session, tools.runtime, tools), new Set(), tools),
  )
}

export function listAll(client: CallSettings, options: CallOptions): Promise<readonly SessionSummary[]> {
  return withTools(client, options, (tools, records) => listSessions(records, tools))
}
