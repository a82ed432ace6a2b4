import type { OnEvent } from '../model/events.ts'
import type { Server } from '../model/fleet.ts'
import type { ServerRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SessionStore } from './store.ts'

/** What everything works with that changes a session. */
export interface SessionTools {
  readonly runtime: Runtime
  readonly sessions: SessionStore
  readonly onEvent: OnEvent
  readonly signal: AbortSignal
}

/** A container with what is known of its server; `rights` are known where its fleet file was read. */
export interface ServerToAwait {
  readonly server: string
  readonly container: string
  readonly spec: Pick<
    ServerRecord,
    'hostname' | 'ports' | 'ready' | 'readyTimeoutMs' | 'secrets' | 'secretDigest' | 'sealed' | 'authority'
  >
  readonly rights?: Server
}
