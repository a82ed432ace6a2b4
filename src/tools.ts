import type { Engine } from './engine/engine.ts'
import type { Recorder } from './failure/recorder.ts'
import type { ChangeTools } from './sessions/tools.ts'

/** What every story works with. The core prints nothing and installs no signal handler: it emits events and obeys `signal`. */
export interface Tools extends ChangeTools {
  /** For images, which servers are started from; sessions are changed through `runtime`. */
  readonly engine: Engine
  /** `signal` without the time that the call may take: one that took too long has failed, and is to be explained. */
  readonly cancelSignal: AbortSignal
  /** What is known of the call when it fails. */
  readonly recorder: Recorder
}
