import type { OnEvent } from '../model/events.ts'
import type { Operation, OperationKind, OperationOf, Plan } from '../model/plan.ts'

/** A handler for each kind of operation. */
export type Handlers = {
  readonly [Kind in OperationKind]: (operation: OperationOf<Kind>, signal: AbortSignal) => Promise<void>
}

export interface CarryOutOptions {
  readonly signal: AbortSignal
  /**
   * `stop` cancels running operations at the first failure; `continue` carries out every operation that does not need
   * the failed one.
   */
  readonly onFailure: 'stop' | 'continue'
  onStart?(operation: Operation): void
  onEnd?(operation: Operation, hasFailed: boolean): void
  /** Called for every operation that is not begun, with the failed operation that prevents it. */
  onSkipped?(operation: Operation, because: Operation): void
}

/**
 * Begins each operation as soon as all operations that it needs are done. Once nothing is running any more, resolves
 * with the failures in the order in which they occurred; rejects with the signal's reason when that has kept an operation
 * from being done. A signal that fires while the last ones end comes too late, as the result is there.
 * `handlers` needs one entry for every kind of operation in the plan.
 */
export async function carryOut(
  plan: Plan,
  handlers: Partial<Handlers>,
  options: CarryOutOptions,
): Promise<readonly Failed[]> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const results = new Map<string, Promise<Failed | undefined>>()
  const failures: Failed[] = []

  const attempt = async (operation: Operation): Promise<Failed | undefined> => {
    const needed = await Promise.all(operation.needs.map((id) => results.get(id)))
    const because = needed.find((one) => one !== undefined) ?? (options.onFailure === 'stop' ? failures[0] : undefined)
    if (because !== undefined) {
      options.onSkipped?.(operation, because.operation)
      return because
    }
    let hasStarted = false
    try {
      signal.throwIfAborted()
      hasStarted = true
      options.onStart?.(operation)
      await perform(operation, handlers, signal)
      options.onEnd?.(operation, false)
      return undefined
    } catch (error) {
      if (hasStarted) options.onEnd?.(operation, true)
      const failed = { error, operation }
      failures.push(failed)
      if (options.onFailure === 'stop') stop.abort(error)
      return failed
    }
  }

  for (const operation of plan.operations) results.set(operation.id, attempt(operation))
  await Promise.all(results.values())
  if (failures.length > 0) options.signal.throwIfAborted()
  return failures
}

export interface Failed {
  readonly error: unknown
  readonly operation: Operation
}

async function perform(operation: Operation, handlers: Partial<Handlers>, signal: AbortSignal): Promise<void> {
  const handler = handlers[operation.kind] as ((operation: Operation, signal: AbortSignal) => Promise<void>) | undefined
  if (handler === undefined) throw new Error(`nothing carries out ${operation.kind}`)
  await handler(operation, signal)
}

/** Reports the start and the end of each operation. */
export function reportOperations(onEvent: OnEvent): Required<Pick<CarryOutOptions, 'onStart' | 'onEnd'>> {
  return {
    onStart: (operation) => onEvent({ kind: 'operationBegan', operation }),
    onEnd: (operation, hasFailed) => onEvent({ kind: 'operationEnded', operation, hasFailed }),
  }
}

/** Does the work of an operation that is not part of a plan, and reports its start and its end. */
export async function reportOperation(
  operation: Operation,
  onEvent: OnEvent,
  work: () => Promise<unknown>,
): Promise<void> {
  const report = reportOperations(onEvent)
  report.onStart(operation)
  let hasFailed = true
  try {
    await work()
    hasFailed = false
  } finally {
    report.onEnd(operation, hasFailed)
  }
}

/** Names the failed operation, for the servers that are skipped because of it. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'pullImage':
      return `the image ${operation.reference}`
    case 'buildImage':
    case 'bakeImage':
      return `the image of ${operation.servers.join(', ')}`
    case 'createNetwork':
    case 'removeNetwork':
      return 'the network'
    case 'createVolume':
    case 'removeVolume':
      return `the volume ${operation.volume}`
    case 'saveRecord':
      return 'the record of the session'
    default:
      return operation.server
  }
}
