import type { PackageVersions } from '../model/labels.ts'
import type { DesiredImage, Operation, PlannedImage } from '../model/plan.ts'
import { formatPlan } from '../plan/format-plan.ts'
import { readPackages } from '../report/report.ts'
import { findTarget } from '../sessions/resolve.ts'
import type { Tools } from '../tools.ts'
import { type PlannedUp, planUp } from '../up/plan-up.ts'
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

/** The images that the servers of a plan use and that are there, with what their labels tell. Makes nothing. */
export async function findPresentImages(
  { desired, observed }: PlannedUp,
  { engine, signal }: Tools,
): Promise<readonly PlannedImage[]> {
  const images = [...desired.servers.values()].flatMap(({ image }) => referenceOf(image))
  const references = [...new Set(images)].sort()
  // A container has the labels of its image, and costs no call.
  const containers = [...observed.values()].map(({ container }) => container)
  const read = async (reference: string): Promise<PackageVersions> => {
    const container = containers.find(({ image }) => image === reference)
    if (container !== undefined) return readPackages(container.labels)
    return readPackages((await engine.inspectImage(reference, { signal }))?.labels ?? {})
  }
  return Promise.all(references.map(async (reference) => ({ reference, packages: await read(reference) })))
}

function referenceOf(image: DesiredImage): string[] {
  if (image.kind === 'named') return image.isPresent ? [image.reference] : []
  return image.build.isPresent ? [image.build.reference] : []
}
