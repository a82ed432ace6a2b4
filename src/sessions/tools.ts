import type { ContainerSummary } from '../model/container.ts'
import type { OnEvent } from '../model/events.ts'
import type { Server } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { ServerRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SessionStore, StoredRecord } from './store.ts'

/** Ports and settings that every change of a session needs. */
export interface SessionTools {
  readonly runtime: Runtime
  readonly sessions: SessionStore
  readonly onEvent: OnEvent
  readonly signal: AbortSignal
  /** Left out when no notes of sessions are kept. */
  readonly notes?: SessionNotes | undefined
}

/** Keeps notes of sessions that end, so that `why` can say later what was wrong with their servers. */
export interface SessionNotes {
  /** Folder of the state in which the notes are kept. */
  readonly stateFolder: string
  /** Keeps a note of servers that do not run although they should, before they are removed. */
  noteEnd(record: StoredRecord, servers: readonly ContainerSummary[]): Promise<void>
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
