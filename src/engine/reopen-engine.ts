import type { EngineEndpoint } from '../model/engine-endpoint.ts'
import { describeLocation } from './dial/dial.ts'
import { connectDocker } from './docker/connect.ts'
import type { Engine } from './engine.ts'

/**
 * Opens the engine that another process has found. Loads no search for an engine and no logins, and sends nothing yet.
 * `because` says in failures where the endpoint came from.
 */
export function reopenEngine(endpoint: EngineEndpoint, because: string): Engine {
  return connectDocker(describeLocation(endpoint, because))
}
