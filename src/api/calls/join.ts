import { joinSession } from '../../join.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import { sweepSessions } from '../../open-tools.ts'
import { findSession, noSession } from '../../sessions/resolve.ts'
import { type CallSettings, chooseCallSession, hostOf, nameSession, openCallTools } from '../call.ts'
import { handOver } from '../hand-over.ts'
import type { RunningFleet } from '../running-fleet.ts'
import type { JoinOptions } from '../types/join.ts'

export async function join<F extends FleetFile>(
  client: CallSettings,
  session: string | undefined,
  options: JoinOptions,
): Promise<RunningFleet<F>> {
  const host = hostOf(client)
  const choice = await chooseCallSession({ ...options, session }, host)
  const tools = await openCallTools(client, options, host, { session: choice })
  try {
    const { sessions } = await sweepSessions(tools)
    const found = findSession(choice, sessions)
    if (found === undefined) throw noSession(choice, sessions, await nameSession(choice, options.file, host))
    tools.onEvent({ kind: 'sessionChosen', session: found.name })
    return await handOver(await joinSession(found, tools), tools, client.hub)
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}
