import type { ServerState } from './events.ts'
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
  /** Only of a server that has `completed` or `exited`. */
  readonly exitCode?: number
  /** Present when the kernel killed it because its memory limit was reached. */
  readonly outOfMemory?: true
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

/** A server that runs, by what it is called. */
export interface NamedServer {
  readonly server: string
  /** `<server>.<domain>`, then its aliases. */
  readonly names: readonly string[]
  /** Its own address; undefined where this machine cannot reach it. */
  readonly address: string | undefined
  /** What is published, by `<port>/<protocol>`. */
  readonly endpoints: Readonly<Record<string, Endpoint>>
}
