import { formatPlan } from '../plan/format-plan.ts'
import { planUp } from '../session/plan-up.ts'
import type { Call } from './call.ts'
import { sessionNameOf } from './find-session.ts'
import { toJsonPlan } from './json-plan.ts'
import { bindOption, loadCallFleet } from './load-call-fleet.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const session = sessionNameOf(fleet, call)
  const request = { fleet, servers: call.servers, session, isNew: false, bind: bindOption(call), keepOnFailure: false }
  const { plan } = await withTools(call, (tools) => planUp(request, tools, { lease: '', mayPull: false }))
  if (call.json) writeJson(call, toJsonPlan(plan))
  else call.output.write(formatPlan(plan))
  return 0
}
