import { randomUUID } from 'node:crypto'
import type { OnEvent } from '../model/events.ts'
import { isFailure } from '../model/failures.ts'
import type { Tools } from '../tools.ts'
import { VERSION } from '../version.ts'
import type { EventHub } from './event-hub.ts'
import type { EventData, EventOperation, TestfleetEvent } from './events.ts'
import { type EventBody, mapEvent } from './map-event.ts'

/** Does the work of a call of a handle, between the events of its start and its end. */
export type Operate = <Result>(
  name: string,
  options: { readonly signal?: AbortSignal | undefined },
  work: (tools: Tools) => Promise<Result>,
) => Promise<Result>

export interface OperationRequest {
  /** Name of the call, such as `up`. */
  readonly name: string
  readonly hub: EventHub
  /** Session of the call, if it is known from the start. */
  readonly session?: string | undefined
  /** The caller's signal: a call that rejects with its reason was cancelled. */
  readonly signal?: AbortSignal | undefined
}

/** A call as its listeners see it. An error of a listener is thrown to the code that reports. */
class Operation {
  readonly identity: EventOperation
  readonly #request: OperationRequest
  readonly #startedAt = performance.now()
  #session: string | undefined
  #hasThrown = false

  constructor(request: OperationRequest) {
    this.#request = request
    this.identity = { id: randomUUID(), name: request.name }
    this.#session = request.session
  }

  start(): void {
    this.#emit({ kind: 'operation.started', data: { version: VERSION } })
  }

  /** Receives what the core reports. */
  readonly onEvent: OnEvent = (event) => {
    if (event.kind === 'sessionChosen') this.#session = event.session
    const body = mapEvent(event)
    if (body !== undefined) this.#emit(body, event.session)
  }

  succeed(): void {
    this.#end({ outcome: 'ok' })
  }

  /** Returns the error with which the call rejects. */
  fail(error: unknown): unknown {
    // If a listener throws repeatedly, only the first error is reported.
    const wasThrown = this.#hasThrown
    try {
      this.#end(describeFailure(error, this.#request.signal))
    } catch (thrown) {
      if (!wasThrown) return new AggregateError([error, thrown], 'the listener of events threw too')
    }
    return error
  }

  #end(ended: Ended): void {
    const elapsedMs = Math.round(performance.now() - this.#startedAt)
    this.#emit({ kind: 'operation.ended', data: { ...ended, elapsedMs } })
  }

  #emit(body: EventBody, session = this.#session): void {
    const time = new Date().toISOString()
    try {
      this.#request.hub.emit({ time, session, operation: this.identity, ...body } as TestfleetEvent)
    } catch (error) {
      this.#hasThrown = true
      throw error
    }
  }
}

/**
 * Does the work of one call between its events `operation.started` and `operation.ended`. `work` gets the listener to which
 * the core reports. If a listener throws at the end of a call that has succeeded, `undo` gets its result, and the call
 * rejects with what was thrown.
 */
export async function inOperation<Result>(
  request: OperationRequest,
  work: (onEvent: OnEvent) => Promise<Result>,
  undo: (result: Result) => Promise<void> = async () => {},
): Promise<Result> {
  const operation = new Operation(request)
  let result: Result
  try {
    operation.start()
    result = await work(operation.onEvent)
  } catch (error) {
    throw operation.fail(error)
  }
  try {
    operation.succeed()
  } catch (thrown) {
    await undo(result)
    throw thrown
  }
  return result
}

/** Does the same as `inOperation` for a call that delivers items. It also ends when its reader leaves. */
export async function* streamInOperation<Item>(
  request: OperationRequest,
  work: (onEvent: OnEvent, operation: EventOperation) => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const operation = new Operation(request)
  let hasFailed = false
  try {
    operation.start()
    yield* work(operation.onEvent, operation.identity)
  } catch (error) {
    hasFailed = true
    throw operation.fail(error)
  } finally {
    if (!hasFailed) operation.succeed()
  }
}

type Ended = Omit<EventData['operation.ended'], 'elapsedMs'>

/** Words how a call has failed. `signal` is the caller's. */
export function describeFailure(error: unknown, signal: AbortSignal | undefined): Ended {
  const isCancelled = isFailure(error, 'CANCELLED') || (signal?.aborted === true && error === signal.reason)
  const outcome = isCancelled ? 'cancelled' : 'failed'
  const message = error instanceof Error ? error.message : String(error)
  return isFailure(error) ? { outcome, code: error.code, message } : { outcome, message }
}
