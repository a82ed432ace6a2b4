import { controlServers } from '../../control/control.ts'
import type { SessionReport } from '../../model/running.ts'
import { type CallSettings, withSession } from '../call.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { Control, ControlOptions } from '../types/control.ts'
import { readControl } from './read-control.ts'

export function control(client: CallSettings, verb: Control, options: ControlOptions): Promise<SessionReport> {
  const { servers = [], force = false } = options
  const control = readControl(verb)
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  return withSession(client, options, (session, tools) =>
    withTimeout(timeoutMs, tools, (limited) => controlServers(session, { control, servers, isForced: force }, limited)),
  )
}
