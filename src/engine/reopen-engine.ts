import type { EngineEndpoint } from '../model/engine-endpoint.ts'
import { describeLocation } from './dial/dial.ts'
import { connectDocker } from './docker/connect.ts'
import type { Engine } from './engine.ts'

/**
 * Opens the engine that another process has found. Loads no search for an engine and no logins, and sends nothing yet.
 * `because` says in failures where the endpoint came from.
 */
export async function reopenEngine(endpoint: EngineEndpoint, because: string): Promise<Engine> {
  if (endpoint.kind !== 'local') return connectDocker(describeLocation(endpoint, because))
  const { connectLocal } = await import('./local/connect.ts')
  return connectLocal(describeLocation(endpoint, because), endpoint)
}
