import type { Host } from '../model/host.ts'
import { connectDocker } from './docker/connect.ts'
import { locateEngine } from './docker/locate.ts'
import type { Engine } from './engine.ts'

/** The engine that the docker command would use, or the one named. Nothing is sent yet. Fails with ENGINE_CONFIGURATION. */
export async function openEngine(named: string | undefined, host: Host): Promise<Engine> {
  const location = await locateEngine({
    ...(named === undefined ? {} : { engine: named }),
    environment: host.environment,
    home: host.homeFolder,
    platform: host.platform,
    ...(host.userId === undefined ? {} : { uid: host.userId }),
  })
  return connectDocker(location, { environment: host.environment, home: host.homeFolder })
}
