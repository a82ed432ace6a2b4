import type { Operation } from '../../model/plan.ts'
import { formatPlan } from '../../plan/format-plan.ts'
import { findTarget } from '../../sessions/resolve.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { findPresentImages } from '../../up/find-present-images.ts'
import { planUp } from '../../up/plan-up.ts'
import { type CallSettings, chooseSourceSession, hostOf, loadSource, withTools } from '../call.ts'
import type { Source } from '../types/options.ts'
import type { PlannedOperation, PlanOptions, PlanResult } from '../types/plan.ts'

export async function plan(client: CallSettings, source: Source, options: PlanOptions): Promise<PlanResult> {
  const host = hostOf(client)
  const { servers = [], bind = 'free' } = options
  const fleet = await loadSource(source, servers, host)
  const session = await chooseSourceSession(source, fleet.name, options, host)
  const request = { fleet, servers, session, bind, keepOnFailure: false }
  const make = async (tools: Tools, sessions: readonly StoredRecord[]): Promise<PlanResult> => {
    const planned = await planUp(request, findTarget(session, fleet, sessions), tools, { mayPull: false })
    const images = await findPresentImages(planned, tools)
    const { session: name, operations } = planned.plan
    return {
      session: name,
      operations: operations.map(describeOperation),
      images,
      text: formatPlan(planned.plan, images),
    }
  }
  return withTools(client, options, make, { session })
}

/** A build is described by its digest. */
function describeOperation(operation: Operation): PlannedOperation {
  if (operation.kind !== 'buildImage') return operation
  const { build, ...rest } = operation
  return { ...rest, ...{ digest: build.digest } }
}
