import type { Host } from '../model/host.ts'
import { connectDocker } from './docker/connect.ts'
import { locateEngine } from './docker/locate.ts'
import type { Engine } from './engine.ts'
import { refuseInsecure } from './refuse-insecure.ts'

export interface OpenOptions {
  /** Whether an engine of another machine may be spoken to without TLS; TESTFLEET_INSECURE_ENGINE=1 says so too. */
  readonly isInsecureAllowed?: boolean
}

/**
 * The engine that the docker command would use, or the one named. Nothing is sent yet.
 * Fails with ENGINE_CONFIGURATION or ENGINE_INSECURE.
 */
export async function openEngine(
  named: string | undefined,
  host: Host,
  { isInsecureAllowed = host.environment.TESTFLEET_INSECURE_ENGINE === '1' }: OpenOptions = {},
): Promise<Engine> {
  const location = await locateEngine({
    ...(named === undefined ? {} : { engine: named }),
    environment: host.environment,
    home: host.homeFolder,
    platform: host.platform,
    ...(host.userId === undefined ? {} : { uid: host.userId }),
  })
  if (!isInsecureAllowed) refuseInsecure(location)
  return connectDocker(location, { environment: host.environment, home: host.homeFolder })
}
