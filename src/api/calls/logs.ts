import { readLogs } from '../../logs.ts'
import { findSession, noSession } from '../../sessions/resolve.ts'
import { type CallSettings, chooseCallSession, hostOf, nameSession, openCallTools } from '../call.ts'
import type { LogLine, LogsOptions } from '../types/logs.ts'

export async function* logs(client: CallSettings, options: LogsOptions): AsyncGenerator<LogLine, void, undefined> {
  const { servers = [], follow = false, tail, since, timestamps = false } = options
  const host = hostOf(client)
  const choice = await chooseCallSession(options, host)
  const tools = await openCallTools(client, options, host)
  try {
    const { sessions } = await tools.sessions.list(tools)
    const session = findSession(choice, sessions)
    if (session === undefined) throw noSession(choice, sessions, await nameSession(choice, options.file, host))
    tools.onEvent({ kind: 'sessionChosen', session: session.name })
    yield* readLogs(session, { servers, follow, tail, sinceMs: since?.getTime(), timestamps }, tools)
  } finally {
    tools.engine.close()
  }
}
