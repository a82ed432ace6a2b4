/** Result of `load`: a valid fleet. */
export interface LoadedFleet {
  /** Name of the fleet. */
  readonly name: string
  /** Domain of its servers: each is `<server>.<domain>`. */
  readonly domain: string
  /** Absolute path of the fleet file; undefined for a fleet that was given as an object. */
  readonly file: string | undefined
  /** Folder that its relative paths start from. */
  readonly folder: string
  /** Its servers, by name. */
  readonly servers: Readonly<Record<string, LoadedServer>>
}

/** A server of a valid fleet. */
export interface LoadedServer {
  /** `<server>.<domain>`, followed by its aliases. */
  readonly names: readonly string[]
  /** Names of the servers that must be ready before it starts. */
  readonly dependsOn: readonly string[]
  /** Ports that tests reach it at. */
  readonly ports: readonly LoadedPort[]
}

/** A port of a server. */
export interface LoadedPort {
  /** Number of the port inside the server. */
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
}
