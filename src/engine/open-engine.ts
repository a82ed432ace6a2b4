import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { say } from '../model/surface.ts'
import { connectDocker } from './docker/connect.ts'
import { readDockerConfig } from './docker/docker-config.ts'
import { locateEngine } from './docker/locate.ts'
import type { Engine, EngineLocation } from './engine.ts'

export interface OpenOptions {
  /** Whether an engine of another machine may be used without TLS. Default: whether TESTFLEET_INSECURE_ENGINE is 1. */
  readonly isInsecureAllowed?: boolean
  /** Receives a warning about a docker configuration that cannot be read, even if nothing in it is needed. */
  readonly onWarning?: (message: string) => void
}

/** Finds the named engine, or the one that the docker command would use. Fails with ENGINE_CONFIGURATION. */
export function findEngine(
  named: string | undefined,
  { environment, homeFolder: home, platform, userId: uid }: Host,
): Promise<EngineLocation> {
  return locateEngine({ engine: named, environment, home, platform, uid })
}

/**
 * Opens the named engine, or the one that the docker command would use. Sends nothing yet. Fails with
 * ENGINE_CONFIGURATION or ENGINE_INSECURE.
 */
export async function openEngine(
  named: string | undefined,
  host: Host,
  { isInsecureAllowed = host.environment.TESTFLEET_INSECURE_ENGINE === '1', onWarning }: OpenOptions = {},
): Promise<Engine> {
  const { environment, helperEnvironment, homeFolder: home } = host
  const { problem } = await readDockerConfig({ environment, home })
  if (problem !== undefined) onWarning?.(problem)
  const location = await findEngine(named, host)
  if (!isInsecureAllowed) refuseInsecure(location)
  return connectDocker(location, { environment, helperEnvironment, home })
}

/** Fails with ENGINE_INSECURE for an engine on another machine that is used without TLS. */
function refuseInsecure({ url, because, remoteHost, endpoint }: EngineLocation): void {
  if (remoteHost === undefined || endpoint.kind !== 'tcp' || endpoint.tls !== undefined) return
  throw new TestfleetError(
    'ENGINE_INSECURE',
    `the engine at ${url} (${because}) is reached without TLS: anyone who can connect to it is root on ${remoteHost}, and anyone on the network path can read and change all traffic`,
    {
      hint:
        'Use TLS (DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or a context with certificates), or forward its socket ' +
        '(ssh -N -L /tmp/engine.sock:/var/run/docker.sock HOST) and use unix:///tmp/engine.sock. ' +
        `To use it anyway, set ${say('insecureEngine')} or TESTFLEET_INSECURE_ENGINE=1.`,
    },
  )
}
