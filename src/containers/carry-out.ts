import type { Operation, OperationKind, OperationOf, Plan } from '../model/plan.ts'

/** How each kind of operation is done. */
export type Deeds = {
  readonly [Kind in OperationKind]: (operation: OperationOf<Kind>, signal: AbortSignal) => Promise<void>
}

export interface CarryOutOptions {
  readonly signal: AbortSignal
  /** Told of every operation that is not begun, and of the one whose failure is why. */
  onSkipped(operation: Operation, because: Operation): void
}

/**
 * Begins each operation the moment all that it needs is done. The first failure cancels what is under way and is what
 * this rejects with, once nothing is under way any more. `deeds` has one for every kind that the plan has.
 */
export async function carryOut(plan: Plan, deeds: Partial<Deeds>, options: CarryOutOptions): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const results = new Map<string, Promise<Outcome>>()
  let failure: { readonly error: unknown; readonly operation: Operation } | undefined

  const attempt = async (operation: Operation): Promise<Outcome> => {
    const outcomes = await Promise.all(operation.needs.map((id) => results.get(id) ?? done))
    if (failure !== undefined || outcomes.includes('failed')) {
      if (failure !== undefined) options.onSkipped(operation, failure.operation)
      return 'failed'
    }
    try {
      signal.throwIfAborted()
      await perform(operation, deeds, signal)
      return 'done'
    } catch (error) {
      failure ??= { error, operation }
      stop.abort(error)
      return 'failed'
    }
  }

  for (const operation of plan.operations) results.set(operation.id, attempt(operation))
  await Promise.all(results.values())
  options.signal.throwIfAborted()
  if (failure !== undefined) throw failure.error
}

type Outcome = 'done' | 'failed'

const done: Promise<Outcome> = Promise.resolve('done')

async function perform(operation: Operation, deeds: Partial<Deeds>, signal: AbortSignal): Promise<void> {
  const deed = deeds[operation.kind] as ((operation: Operation, signal: AbortSignal) => Promise<void>) | undefined
  if (deed === undefined) throw new Error(`nothing does ${operation.kind}`)
  await deed(operation, signal)
}
