import type { Readable } from 'node:stream'
import { isFailure, TestfleetError } from '../../../model/failures.ts'
import { onAbort } from '../../../model/on-abort.ts'
import { type Inbox, openInbox, openRoom, splitBytes } from './flow.ts'
import type { Reply, Request } from './messages.ts'
import { decodeFailure, type WireFailure } from './wire-failure.ts'

/** How long the engine may take to end what a call has begun, once that is aborted. */
const LONGEST_ABORT_MS = 30_000

/** What a call has besides its words. */
export interface CallExtras {
  readonly signal?: AbortSignal | undefined
  /** Read once; its own error is what the call fails with. */
  readonly source?: Readable | undefined
  readonly onProgress?: ((progress: never) => void) | undefined
}

/** A call to the engine of another process, as its caller sees it. */
export class RemoteCall {
  readonly items: Inbox<unknown>
  readonly #id: number
  readonly #extras: CallExtras
  readonly #send: (request: Request) => void
  readonly #forget: (id: number) => void
  readonly #result = Promise.withResolvers<unknown>()
  readonly #exit = Promise.withResolvers<number>()
  readonly #ended = Promise.withResolvers<void>()
  readonly #told = new Map<number, PromiseWithResolvers<void>>()
  readonly #room = openRoom()
  #lastTold = 0
  #isOver = false
  #isCommand = false
  #sourceError: { readonly error: unknown } | undefined
  #stopListening = (): void => {}
  #clock: NodeJS.Timeout | undefined

  /** `forget` is called once, when no further reply is expected. */
  constructor(id: number, extras: CallExtras, send: (request: Request) => void, forget: (id: number) => void) {
    this.#id = id
    this.#extras = extras
    this.#send = send
    this.#forget = forget
    // A caller may wait for only one of them.
    for (const { promise } of [this.#result, this.#exit]) promise.catch(() => {})
    extras.source?.on('error', () => {})
    this.items = openInbox<unknown>(
      () => send({ kind: 'more', id }),
      async () => {
        send({ kind: 'stop', id })
        await this.#ended.promise
      },
    )
  }

  start(method: string, words: readonly unknown[], timeoutMs: number | undefined): void {
    const { source, signal } = this.#extras
    const id = this.#id
    this.#isCommand = method === 'exec'
    this.#send({ kind: 'call', id, method, words, timeoutMs })
    if (source !== undefined) void this.#pump(source)
    this.#stopListening = onAbort(signal, () => {
      this.#send({ kind: 'abort', id })
      this.#clock = setTimeout(() => this.fail(signal?.reason), LONGEST_ABORT_MS)
    })
  }

  get result(): Promise<unknown> {
    return this.#result.promise
  }

  /** Exit code of a command. */
  get exit(): Promise<number> {
    return this.#exit.promise
  }

  /** Drops the output of a command, which nobody reads. */
  drain(): void {
    this.#send({ kind: 'drain', id: this.#id })
  }

  /** Tells a command something. Resolves when it has arrived there, or the command has ended. */
  tell(what: 'write' | 'endInput' | 'resize', value?: unknown): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    const told = Promise.withResolvers<void>()
    this.#told.set(++this.#lastTold, told)
    this.#send({ kind: 'tell', id: this.#id, number: this.#lastTold, what, value })
    return told.promise
  }

  receive(reply: Exclude<Reply, { kind: 'ready' }>): void {
    switch (reply.kind) {
      case 'result':
        this.#result.resolve(reply.value)
        if (!this.#isCommand) this.#finish()
        break
      case 'failure':
        this.fail(this.#explain(reply.failure))
        break
      case 'progress':
        this.#extras.onProgress?.(reply.value as never)
        break
      case 'want':
        this.#room.grant()
        break
      case 'item':
        this.items.push(reply.value)
        break
      default:
        this.#receiveEnd(reply)
    }
  }

  #receiveEnd(reply: Reply & { readonly kind: 'itemsEnd' | 'told' | 'exit' }): void {
    const error = reply.failure && { reason: this.#explain(reply.failure) }
    if (reply.kind === 'itemsEnd') {
      if (error === undefined) this.items.end()
      else this.items.fail(error.reason)
    } else if (reply.kind === 'told') {
      const told = this.#told.get(reply.number)
      this.#told.delete(reply.number)
      if (error === undefined) told?.resolve()
      else told?.reject(error.reason)
    } else {
      if (error === undefined) this.#exit.resolve(reply.code ?? 0)
      else this.#exit.reject(error.reason)
      this.#finish()
    }
  }

  /** Ends the call without a reply. */
  fail(error: unknown): void {
    this.#result.reject(error)
    this.#exit.reject(error)
    this.items.fail(error)
    this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#clock)
    this.#stopListening()
    this.#room.close()
    this.#extras.source?.destroy()
    for (const told of this.#told.values()) told.resolve()
    this.items.end()
    this.#ended.resolve()
    this.#forget(this.#id)
  }

  async #pump(source: Readable): Promise<void> {
    const id = this.#id
    try {
      for await (const chunk of source) {
        for (const bytes of splitBytes(typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array))) {
          if (!(await this.#room.take())) return
          this.#send({ kind: 'input', id, bytes })
        }
      }
      this.#send({ kind: 'inputEnd', id })
    } catch (error) {
      if (this.#isOver) return
      this.#sourceError = { error }
      this.#send({ kind: 'inputFailure', id })
    }
  }

  #explain(failure: WireFailure): unknown {
    const error = decodeFailure(failure)
    const { signal } = this.#extras
    if (signal?.aborted === true) return withLeftovers(signal.reason, error)
    return this.#sourceError === undefined ? error : this.#sourceError.error
  }
}

/** The engine notes what it could not end in the reason of the abort, which is another object in this process. */
function withLeftovers(reason: unknown, error: Error): unknown {
  if (isFailure(reason) && error instanceof TestfleetError) reason.leftovers ??= error.leftovers
  return reason
}
