import type { Operation, Plan, PlannedImage } from '../model/plan.ts'

/** A plan as JSON: the images that are there; what is done, to what, and why; without what only the carrying out needs. */
export function toJsonPlan(plan: Plan, images: readonly PlannedImage[]): object {
  return { session: plan.session, images, operations: plan.operations.map(toJsonOperation) }
}

function toJsonOperation(operation: Operation): object {
  if (operation.kind !== 'buildImage') return operation
  const { build, ...rest } = operation
  return { ...rest, digest: build.digest }
}
