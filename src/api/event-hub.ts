import { EventStream, type EventStreamOptions } from './event-stream.ts'
import type { OnTestfleetEvent, TestfleetEvent } from './events.ts'

/** Delivers the events of a client's operations to everyone who listens. */
export class EventHub {
  readonly #listeners = new Set<OnTestfleetEvent>()

  /** Adds a listener; the returned function removes it. */
  add(listener: OnTestfleetEvent): () => void {
    // A function that is added twice counts as two listeners.
    const own: OnTestfleetEvent = (event) => listener(event)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Delivers an event to every listener, and then throws the first error that a listener has thrown. */
  emit(event: TestfleetEvent): void {
    const errors: unknown[] = []
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  /** Returns the events from now on as an async iterable. With `session`, only events of that session. */
  stream({ session, ...options }: EventStreamOptions & { readonly session?: string } = {}): EventStream {
    const stream = new EventStream(options)
    const isWanted = (event: TestfleetEvent): boolean => session === undefined || event.session === session
    stream.onEnd(
      this.add((event) => {
        if (isWanted(event)) stream.push(event)
      }),
    )
    return stream
  }
}
