import type { EngineLocation } from '../engine.ts'

/** Where a Docker engine is, and all that connecting to it takes. */
export interface DockerLocation extends EngineLocation {
  readonly endpoint: Endpoint
  /** The sockets that were looked for, in order; empty when the engine was named. */
  readonly candidates: readonly string[]
}

export type Endpoint =
  /** A Unix socket, or a named pipe of Windows. */
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      /** What stands in front of every path; empty, or with a leading and no trailing slash. */
      readonly basePath: string
      readonly tls: TlsFiles | undefined
    }

/** TLS material by path: keys stay out of what may be printed. */
export interface TlsFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  /** Whether the engine's certificate is checked. */
  readonly isVerified: boolean
}
