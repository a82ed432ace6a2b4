import { checkSessionName, makeSessionName } from '../session/session-name.ts'
import { startSession } from '../up.ts'
import { withinTime } from '../within-time.ts'
import { type Call, flag, timeoutOption } from './call.ts'
import { bindOption, loadCallFleet } from './load-call-fleet.ts'
import { withTools } from './open-tools.ts'
import { readErrand, runInSession } from './run-in-session.ts'

export async function run(call: Call): Promise<number> {
  const errand = await readErrand(call)
  const servers = [call.options.server ?? []].flat().map(String)
  const fleet = await loadCallFleet(call, servers)
  const session = call.session === undefined ? makeSessionName(fleet.name) : checkSessionName(call.session)
  const request = { fleet, servers, session, isNew: true, bind: bindOption(call), keepOnFailure: flag(call, 'keep') }
  const timeoutMs = timeoutOption(call)
  return withTools(call, async (tools) => {
    const member = await withinTime(timeoutMs, tools, (limited) => startSession(request, limited))
    return runInSession(member, errand, call, tools)
  })
}
