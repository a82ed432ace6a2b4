import { formatPlan } from '../plan/format-plan.ts'
import { planUp } from '../session/plan-up.ts'
import { findPresentImages } from '../session/present-images.ts'
import type { Call } from './call.ts'
import { sessionNameOf } from './find-session.ts'
import { toJsonPlan } from './json-plan.ts'
import { bindOption, loadCallFleet } from './load-call-fleet.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const session = sessionNameOf(fleet, call)
  const request = { fleet, servers: call.servers, session, isNew: false, bind: bindOption(call), keepOnFailure: false }
  const { plan, images } = await withTools(call, async (tools) => {
    const planned = await planUp(request, tools, { lease: '', mayPull: false })
    return { plan: planned.plan, images: await findPresentImages(planned, tools) }
  })
  if (call.json) writeJson(call, toJsonPlan(plan, images))
  else call.output.write(formatPlan(plan, images))
  return 0
}
