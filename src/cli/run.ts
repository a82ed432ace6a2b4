import { checkSessionName, makeSessionName } from '../session/session-name.ts'
import { startSession } from '../up.ts'
import { type Call, flag } from './call.ts'
import { bindOption, loadCallFleet } from './load-call-fleet.ts'
import { withTools } from './open-tools.ts'
import { runInSession } from './run-in-session.ts'
import { findProgram } from './run-program.ts'

export async function run(call: Call): Promise<number> {
  const path = await findProgram(call.command[0] ?? '', call.host)
  const fleet = await loadCallFleet(call)
  const session = call.session === undefined ? makeSessionName(fleet.name) : checkSessionName(call.session)
  const servers = [call.options.server ?? []].flat().map(String)
  const request = { fleet, servers, session, isNew: true, bind: bindOption(call), keepOnFailure: flag(call, 'keep') }
  return withTools(call, async (tools) => runInSession(await startSession(request, tools), path, call, tools))
}
