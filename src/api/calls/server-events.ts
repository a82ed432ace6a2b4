import { followServers } from '../../follow-servers.ts'
import { TestfleetError } from '../../model/failures.ts'
import { type CallSettings, streamFromSession } from '../call.ts'
import type { EventOperation, ServerEventKind, TestfleetEvent } from '../events.ts'
import { mapServerChange } from '../map-event.ts'
import type { ServerEventsOptions } from '../types/server-events.ts'

export async function* serverEvents(
  client: CallSettings,
  operation: EventOperation,
  options: ServerEventsOptions,
): AsyncGenerator<TestfleetEvent<ServerEventKind>, void, undefined> {
  // Dates before 1970 are clamped: no engine existed then.
  const sinceMs = options.since === undefined ? undefined : Math.max(0, options.since.getTime())
  if (Number.isNaN(sinceMs)) throw new TestfleetError('USAGE', '`since` is not a valid date')
  yield* streamFromSession(client, options, async function* (session, tools) {
    for await (const change of followServers(session, sinceMs, tools)) {
      const time = new Date(change.atMs).toISOString()
      yield { time, session: session.name, operation, ...mapServerChange(change) } as TestfleetEvent<ServerEventKind>
    }
  })
}
