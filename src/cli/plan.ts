import { formatPlan } from '../plan/format-plan.ts'
import { planUp } from '../up/plan-up.ts'
import { findPresentImages } from '../up/present-images.ts'
import { findTarget } from '../up/target.ts'
import type { Call } from './call.ts'
import { chooseCallSession } from './find-session.ts'
import { toJsonPlan } from './json-plan.ts'
import { bindOption, loadCallFleet } from './load-call-fleet.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const session = await chooseCallSession(call)
  const request = { fleet, servers: call.servers, session, bind: bindOption(call), keepOnFailure: false }
  const { plan, images } = await withTools(call, async (tools, sessions) => {
    const planned = await planUp(request, findTarget(session, fleet, sessions), tools, { mayPull: false })
    return { plan: planned.plan, images: await findPresentImages(planned, tools) }
  })
  if (call.json) writeJson(call, toJsonPlan(plan, images))
  else call.output.write(formatPlan(plan, images))
  return 0
}
