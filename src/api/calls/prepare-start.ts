import type { Fleet } from '../../model/fleet.ts'
import { sweepSessions } from '../../open-tools.ts'
import { checkSessionName } from '../../sessions/resolve.ts'
import type { Tools } from '../../tools.ts'
import type { Membership } from '../../up/membership.ts'
import type { UpRequest } from '../../up/plan-up.ts'
import { type OnFailedStart, startSession } from '../../up/start-session.ts'
import { type CallSettings, type EngineChoice, hostOf, loadSource, openCallTools } from '../call.ts'
import { holdCopies } from '../hold-copies.ts'
import { startPools } from '../start-pools.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { Source } from '../types/options.ts'
import type { StartOptions } from '../types/start.ts'

/** A start whose options and fleet are valid, and whose engine is open. The caller closes the engine. */
export interface PreparedStart {
  readonly tools: Tools
  start(onFailed?: OnFailedStart, shared?: UpRequest['shared']): Promise<Membership>
}

/** Reads everything that can be wrong about the start of a new session, so that a wrong call touches nothing. */
export async function prepareStart(
  client: CallSettings,
  source: Source,
  options: StartOptions,
): Promise<PreparedStart> {
  const fleet = await loadSource(source, options.servers ?? [], hostOf(client))
  return prepareFleetStart(client, source, fleet, options)
}

/** As `prepareStart`, for a fleet that was loaded from `source`. */
export async function prepareFleetStart(
  client: CallSettings,
  source: Source,
  fleet: Fleet,
  options: StartOptions,
  choice: EngineChoice = {},
): Promise<PreparedStart> {
  const host = hostOf(client)
  const { servers = [], bind = 'free', session: name, keep = false } = options
  if (name !== undefined) checkSessionName(name)
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const tools = await openCallTools(client, options, host, choice)
  const request = { fleet, servers, session: { kind: 'new', name } as const, bind, keepOnFailure: keep }
  return {
    tools,
    async start(onFailed, shared) {
      const { sessions } = await sweepSessions(tools)
      const start = (limited: Tools) => startSession({ ...request, shared }, sessions, limited, onFailed)
      const member = await withTimeout(timeoutMs, tools, start)
      await startPools(member.record, source, tools)
      void holdCopies(client, source, options.standby ?? fleet.standby, tools)
      return member
    },
  }
}
