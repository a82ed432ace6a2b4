import type { OnEvent } from '../model/events.ts'
import type { CallSettings } from './call.ts'
import { checkOptions } from './check-options.ts'
import { EventHub } from './event-hub.ts'
import type { EventOperation, TestfleetEvent } from './events.ts'
import { inOperation, streamInOperation } from './operation.ts'
import type { CallOptions, TestfleetOptions, TimelineOptions } from './types/options.ts'

/** The base of a client: its settings and its events. Each call opens and closes its own connection to the engine. */
export class Client {
  /** @internal */
  protected readonly settings: TestfleetOptions
  readonly #hub = new EventHub()

  constructor(options: TestfleetOptions = {}) {
    checkOptions(options)
    this.settings = options
    if (options.onEvent !== undefined) this.#hub.add(options.onEvent)
  }

  /**
   * Returns the events of all calls of this client, and of the fleets that they return, from now on. It ends when `signal`
   * fires or its reader leaves the loop. It keeps 10,000 events for a slow reader; then it drops the oldest ones, and one
   * event `events.dropped` says how many.
   *
   * @example
   * for await (const { kind, data } of testfleet.events({ signal })) console.log(kind, data)
   */
  events(options: CallOptions = {}): AsyncIterableIterator<TestfleetEvent> {
    checkOptions(options)
    return this.#hub.stream({ signal: options.signal })
  }

  /**
   * Does the work of a call, between the events of its start and its end.
   *
   * @internal
   */
  protected operate<Result>(
    name: string,
    options: CallOptions & TimelineOptions,
    work: (settings: CallSettings) => Promise<Result>,
    undo: (result: Result) => Promise<void> = async () => {},
  ): Promise<Result> {
    checkOptions(options)
    const hub = this.#hub
    const { signal, timeline: files } = options
    const call = async (onEvent: OnEvent): Promise<Result> => {
      const settings = { ...this.settings, onEvent, hub }
      if (files === undefined) return work(settings)
      const { withTimeline } = await import('./calls/with-timeline.ts')
      return withTimeline({ name, files, settings, signal, work, undo })
    }
    return inOperation({ name, hub, signal }, call, undo)
  }

  /**
   * Does the same as `operate` for a call that delivers items while it works.
   *
   * @internal
   */
  protected operateStream<Item>(
    name: string,
    options: CallOptions,
    work: (settings: CallSettings, operation: EventOperation) => AsyncIterable<Item>,
  ): AsyncGenerator<Item, void, undefined> {
    checkOptions(options)
    const hub = this.#hub
    return streamInOperation({ name, hub, signal: options.signal }, (onEvent, operation) =>
      work({ ...this.settings, onEvent, hub }, operation),
    )
  }
}
