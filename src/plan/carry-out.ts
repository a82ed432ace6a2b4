import type { Operation, OperationKind, OperationOf, Plan } from '../model/plan.ts'

/** How each kind of operation is done. */
export type Handlers = {
  readonly [Kind in OperationKind]: (operation: OperationOf<Kind>, signal: AbortSignal) => Promise<void>
}

export interface CarryOutOptions {
  readonly signal: AbortSignal
  /** `stop` cancels what is under way at the first failure; `continue` does all that does not need what failed. */
  readonly onFailure: 'stop' | 'continue'
  onStart?(operation: Operation): void
  onEnd?(operation: Operation, elapsedMs: number): void
  /** Called for every operation that is not begun, with the one whose failure is why. */
  onSkipped?(operation: Operation, because: Operation): void
}

/**
 * Begins each operation the moment all that it needs is done. Resolves with the failures, in the order in which they
 * came, once nothing is under way any more; rejects with the signal's reason once that has fired. `handlers` has one for
 * every kind of operation in the plan.
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
    const startedAt = performance.now()
    try {
      signal.throwIfAborted()
      options.onStart?.(operation)
      await perform(operation, handlers, signal)
      options.onEnd?.(operation, performance.now() - startedAt)
      return undefined
    } catch (error) {
      const failed = { error, operation }
      failures.push(failed)
      if (options.onFailure === 'stop') stop.abort(error)
      return failed
    }
  }

  for (const operation of plan.operations) results.set(operation.id, attempt(operation))
  await Promise.all(results.values())
  options.signal.throwIfAborted()
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

/** What failed, for the servers that had to wait for it. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'pullImage':
      return `the image ${operation.reference}`
    case 'buildImage':
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
