import type { OnEvent } from '../model/events.ts'
import type { Server } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { ServerRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SessionStore } from './store.ts'

/** Ports and settings that every change of a session needs. */
export interface SessionTools {
  readonly runtime: Runtime
  readonly sessions: SessionStore
  readonly onEvent: OnEvent
  readonly signal: AbortSignal
}

/** What a call needs that makes a session, or changes it. */
export interface ChangeTools extends SessionTools {
  readonly host: Host
}

/** A container and what is known of its server; `rights` is known only when its fleet file was read. */
export interface ServerToAwait {
  readonly server: string
  readonly container: string
  readonly spec: Pick<
    ServerRecord,
    'hostname' | 'ports' | 'ready' | 'readyTimeoutMs' | 'secrets' | 'secretDigest' | 'sealed' | 'authority'
  >
  readonly rights?: Server
}
