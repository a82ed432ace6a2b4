/** A fleet file that is valid. */
export interface LoadedFleet {
  readonly name: string
  readonly domain: string
  /** Absolute path of its file; undefined for a fleet that was given as an object. */
  readonly file: string | undefined
  /** Where its relative paths start. */
  readonly folder: string
  readonly servers: Readonly<Record<string, LoadedServer>>
}

export interface LoadedServer {
  /** `<server>.<domain>`, then its aliases. */
  readonly names: readonly string[]
  readonly dependsOn: readonly string[]
  readonly ports: readonly LoadedPort[]
}

export interface LoadedPort {
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
}
