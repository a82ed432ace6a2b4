import type { Operation, Plan } from '../model/plan.ts'

/** A plan as JSON: what is done, to what, and why; without what only the carrying out needs. */
export function toJsonPlan(plan: Plan): object {
  return { session: plan.session, operations: plan.operations.map(toJsonOperation) }
}

function toJsonOperation(operation: Operation): object {
  if (operation.kind !== 'buildImage') return operation
  const { build, ...rest } = operation
  return { ...rest, digest: build.digest }
}
