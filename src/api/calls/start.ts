import type { FleetFile } from '../../model/fleet-file.ts'
import { sweepSessions } from '../../open-tools.ts'
import { checkSessionName } from '../../sessions/resolve.ts'
import { startSession } from '../../up/start-session.ts'
import { type CallSettings, hostOf, loadSource, openCallTools } from '../call.ts'
import { handOver } from '../hand-over.ts'
import type { RunningFleet } from '../running-fleet.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { FleetSource } from '../types/options.ts'
import type { StartOptions } from '../types/start.ts'

export async function start<F extends FleetFile>(
  client: CallSettings,
  source: FleetSource<F> | undefined,
  options: StartOptions<F>,
): Promise<RunningFleet<F>> {
  const host = hostOf(client)
  const { servers = [], bind = 'free', session: name, keep = false } = options
  const fleet = await loadSource(source, servers, host)
  // A call that is wrong touches nothing.
  if (name !== undefined) checkSessionName(name)
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const tools = await openCallTools(client, options, host)
  try {
    const { sessions } = await sweepSessions(tools)
    const request = { fleet, servers, session: { kind: 'new', name } as const, bind, keepOnFailure: keep }
    const held = await withTimeout(timeoutMs, tools, (limited) => startSession(request, sessions, limited))
    return await handOver(held, tools, client.hub)
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}
