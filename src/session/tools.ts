import type { Engine } from '../engine/engine.ts'
import type { Recorder } from '../failure/recorder.ts'
import type { OnEvent } from '../model/events.ts'
import type { Host } from '../model/host.ts'

/** What every story works with. The core prints nothing and installs no signal handler: it tells events, and obeys `signal`. */
export interface Tools {
  readonly host: Host
  readonly engine: Engine
  /** Tells the recorder as well. */
  readonly onEvent: OnEvent
  readonly signal: AbortSignal
  /** `signal` without the time that the call may take: one that took too long has failed, and wants to be looked at. */
  readonly cancelSignal: AbortSignal
  /** What is known of the call when it fails. */
  readonly recorder: Recorder
}
