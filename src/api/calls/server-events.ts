import { followServers } from '../../follow-servers.ts'
import { TestfleetError } from '../../model/failures.ts'
import { findSession, noSession } from '../../sessions/resolve.ts'
import { type CallSettings, chooseCallSession, hostOf, nameSession, openCallTools } from '../call.ts'
import type { EventOperation, ServerEventKind, TestfleetEvent } from '../events.ts'
import { mapServerChange } from '../map-event.ts'
import type { ServerEventsOptions } from '../types/server-events.ts'

export async function* serverEvents(
  client: CallSettings,
  operation: EventOperation,
  options: ServerEventsOptions,
): AsyncGenerator<TestfleetEvent<ServerEventKind>, void, undefined> {
  // No engine was there before 1970.
  const sinceMs = options.since === undefined ? undefined : Math.max(0, options.since.getTime())
  if (Number.isNaN(sinceMs)) throw new TestfleetError('USAGE', '`since` is not a valid date')
  const host = hostOf(client)
  const choice = await chooseCallSession(options, host)
  const tools = await openCallTools(client, options, host)
  try {
    const { sessions } = await tools.sessions.list(tools)
    const session = findSession(choice, sessions)
    if (session === undefined) throw noSession(choice, sessions, await nameSession(choice, options.file, host))
    tools.onEvent({ kind: 'sessionChosen', session: session.name })
    for await (const change of followServers(session, sinceMs, tools)) {
      const time = new Date(change.atMs).toISOString()
      yield { time, session: session.name, operation, ...mapServerChange(change) } as TestfleetEvent<ServerEventKind>
    }
  } finally {
    tools.engine.close()
  }
}
