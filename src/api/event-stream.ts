import { onAbort } from '../model/on-abort.ts'
import type { TestfleetEvent } from './events.ts'

export interface EventStreamOptions {
  /** Ends the iteration, without an error. Events that were not read by then are dropped. */
  readonly signal?: AbortSignal | undefined
}

/** Number of events that are kept for a slow reader. */
export const STREAM_LENGTH = 10_000

/**
 * Events as an async iterable for one reader. It keeps up to 10,000 events for a slow reader. Beyond that it drops the
 * oldest ones, and delivers one `events.dropped` with their count in their place. A reader never slows down the call.
 */
export class EventStream implements AsyncIterableIterator<TestfleetEvent> {
  #queue: TestfleetEvent[] = []
  #start = 0
  #dropped: { first: TestfleetEvent; count: number } | undefined
  #waiting: ((result: IteratorResult<TestfleetEvent>) => void)[] = []
  #isEnded = false
  #onEnd: (() => void)[] = []

  constructor({ signal }: EventStreamOptions = {}) {
    if (signal === undefined) return
    this.onEnd(onAbort(signal, () => void this.return()))
  }

  /** Calls back once nothing is delivered any more, or immediately if that is already the case. */
  onEnd(callback: () => void): void {
    if (this.#isEnded) callback()
    else this.#onEnd.push(callback)
  }

  push(event: TestfleetEvent): void {
    if (this.#isEnded) return
    const reader = this.#waiting.shift()
    if (reader !== undefined) {
      reader({ value: event, done: false })
      return
    }
    this.#queue.push(event)
    if (this.#queue.length - this.#start <= STREAM_LENGTH) return
    const first = this.#shift() as TestfleetEvent
    this.#dropped = { first: this.#dropped?.first ?? first, count: (this.#dropped?.count ?? 0) + 1 }
  }

  /** Ends the iteration after everything was read. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    for (const callback of this.#onEnd) callback()
    for (const reader of this.#waiting) reader({ value: undefined, done: true })
    this.#waiting = []
  }

  async next(): Promise<IteratorResult<TestfleetEvent>> {
    const event = this.#takeDropped() ?? this.#shift()
    if (event !== undefined) return { value: event, done: false }
    if (this.#isEnded) return { value: undefined, done: true }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async return(): Promise<IteratorResult<TestfleetEvent>> {
    this.#queue = []
    this.#start = 0
    this.#dropped = undefined
    this.end()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #takeDropped(): TestfleetEvent | undefined {
    if (this.#dropped === undefined) return undefined
    const { first, count } = this.#dropped
    this.#dropped = undefined
    const { time, session, operation } = first
    return { time, session, operation, kind: 'events.dropped', data: { count } }
  }

  /** Removing the first item of a long array moves all others, so the array is cut only now and then. */
  #shift(): TestfleetEvent | undefined {
    const event = this.#queue[this.#start]
    if (event === undefined) return undefined
    this.#start += 1
    if (this.#start > STREAM_LENGTH) {
      this.#queue = this.#queue.slice(this.#start)
      this.#start = 0
    }
    return event
  }
}
