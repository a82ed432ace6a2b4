import type { AuthorityRecord } from './certificate.ts'
import type { ServerState } from './events.ts'
import type { Port, ReadyCheck } from './fleet.ts'

/** What later calls need to know of a running server. It rides on its container as a label, so no file can disagree. */
export interface RunningSpec {
  readonly hostname: string
  readonly dependsOn: readonly string[]
  readonly ports: readonly Port[]
  readonly ready: readonly ReadyCheck[]
  readonly readyTimeoutMs: number
  readonly export: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  readonly stopSignal: string | undefined
  /** The fleet's certificate authority, of a fleet that has one. */
  readonly authority: AuthorityRecord | undefined
}

/** Where a test reaches a port. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A session as `up --json`, `ps --json` and `endpoints --json` show it. */
export interface SessionReport {
  readonly session: string
  readonly fleet: string
  readonly domain: string
  readonly servers: Readonly<Record<string, ServerReport>>
}

export interface ServerReport {
  readonly state: ServerState
  /** The container's id. */
  readonly container: string
  /** The image's reference. */
  readonly image: string
  /** The packages that the fleet file asks for in its image, with the versions that were installed. */
  readonly packages: Readonly<Record<string, string>>
  readonly hostname: string
  /** On the fleet's network; empty when the server does not run. */
  readonly ip: string
  /** By `<port>/<protocol>`. */
  readonly endpoints: Readonly<Record<string, Endpoint>>
}
