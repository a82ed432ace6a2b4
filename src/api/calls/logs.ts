import { readLogs } from '../../logs.ts'
import { findSession, noSession } from '../../sessions/resolve.ts'
import { chooseCallSession, hostOf, nameSession, openCallTools } from '../call.ts'
import type { LogLine, LogsOptions } from '../types/logs.ts'
import type { TestfleetOptions } from '../types/options.ts'

export async function* logs(client: TestfleetOptions, options: LogsOptions): AsyncGenerator<LogLine, void, undefined> {
  const { servers = [], follow = false, tail, timestamps = false } = options
  const host = hostOf(client)
  const choice = await chooseCallSession(options, host)
  const tools = await openCallTools(client, options, host)
  try {
    const { sessions } = await tools.sessions.list(tools)
    const session = findSession(choice, sessions)
    if (session === undefined) throw noSession(choice, sessions, await nameSession(choice, options.file, host))
    yield* readLogs(session, { servers, follow, tail, timestamps }, tools)
  } finally {
    tools.engine.close()
  }
}
