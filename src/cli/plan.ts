import type { Operation } from '../model/plan.ts'
import { formatPlan } from '../plan/format-plan.ts'
import { findTarget } from '../sessions/resolve.ts'
import { findPresentImages } from '../up/find-present-images.ts'
import { planUp } from '../up/plan-up.ts'
import { answer } from './answer.ts'
import { bindOption, type Call, chooseCallSession, loadCallFleet, withTools } from './call.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const session = await chooseCallSession(call)
  const request = { fleet, servers: call.servers, session, bind: bindOption(call), keepOnFailure: false }
  const { plan, images } = await withTools(call, async (tools, sessions) => {
    const planned = await planUp(request, findTarget(session, fleet, sessions), tools, { mayPull: false })
    return { plan: planned.plan, images: await findPresentImages(planned, tools) }
  })
  const document = { session: plan.session, images, operations: plan.operations.map(toJsonOperation) }
  return answer(call, document, formatPlan(plan, images))
}

/** Of a build, its digest says enough. */
function toJsonOperation(operation: Operation): object {
  if (operation.kind !== 'buildImage') return operation
  const { build, ...rest } = operation
  return { ...rest, digest: build.digest }
}
