import type { EngineEndpoint, TlsFiles } from '../../model/engine-endpoint.ts'
import type { EngineLocation } from '../engine.ts'

export type { TlsFiles }
export type Endpoint = EngineEndpoint

/** Where a Docker engine is, and all that connecting to it takes. */
export interface DockerLocation extends EngineLocation {
  /** The sockets that were looked for, in order; empty when the engine was named. */
  readonly candidates: readonly string[]
}
