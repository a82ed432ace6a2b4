import type { ServerState } from './events.ts'
/** Where a test reaches a port of a server. */
export interface Endpoint {
  /** Address of the machine that publishes the port, such as 127.0.0.1. */
  readonly host: string
  /** Number under which the port is published there. */
  readonly port: number
}

/** A session as `up --json`, `ps --json` and `endpoints --json` show it. */
export interface SessionReport {
  /** Name of the session. */
  readonly session: string
  /** Name of its fleet. */
  readonly fleet: string
  /** Domain of its servers: each is `<server>.<domain>`. */
  readonly domain: string
  /** Its servers, by name. */
  readonly servers: Readonly<Record<string, ServerReport>>
}

/** A server of a session, as `ps --json` shows it. */
export interface ServerReport {
  readonly state: ServerState
  /** Only of a server that has `completed` or `exited`. */
  readonly exitCode?: number
  /** Present when the kernel killed it because its memory limit was reached. */
  readonly outOfMemory?: true
  /** How it runs; left out for a container. */
  readonly runs?: 'process' | 'external'
  /** Id of its container; empty for an external server. */
  readonly container: string
  /** Reference of its image; of an external server its URL, without the password. */
  readonly image: string
  /** The packages that the fleet file asks for in its image, with the versions that were installed. */
  readonly packages: Readonly<Record<string, string>>
  /** Host name by which other servers know it: `<server>.<domain>`. */
  readonly hostname: string
  /** Address on the fleet's network; empty when the server does not run. */
  readonly ip: string
  /** Published ports, each by `<port>/<protocol>`, such as `5432/tcp`. */
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
