import { startSession, withinTime } from '../up/up.ts'
import { bindOption, type Call, flag, loadCallFleet, timeoutOption, withTools } from './call.ts'
import { readErrand, runInSession } from './run-in-session.ts'

export async function run(call: Call): Promise<number> {
  const errand = await readErrand(call)
  const servers = [call.options.server ?? []].flat().map(String)
  const fleet = await loadCallFleet(call, servers)
  const session = { kind: 'new', name: call.session } as const
  const request = { fleet, servers, session, bind: bindOption(call), keepOnFailure: flag(call, 'keep') }
  const timeoutMs = timeoutOption(call)
  return withTools(call, async (tools, sessions) => {
    const member = await withinTime(timeoutMs, tools, (limited) => startSession(request, sessions, limited))
    return runInSession(member, errand, call, tools)
  })
}
