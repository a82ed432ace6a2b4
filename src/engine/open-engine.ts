import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { say } from '../model/surface.ts'
import { connectDocker } from './docker/connect.ts'
import { readDockerConfig } from './docker/docker-config.ts'
import { locateEngine } from './docker/locate.ts'
import type { Engine, EngineLocation, RemoteLocation } from './engine.ts'
import { fallBack, findWithSessions } from './local/fall-back.ts'
import { isLocal, type LocalLocation, locateLocal } from './local/locate.ts'

export interface OpenOptions {
  /** Whether an engine of another machine may be used without TLS. Default: whether TESTFLEET_INSECURE_ENGINE is 1. */
  readonly isInsecureAllowed?: boolean
  /** Receives a warning about a docker configuration that cannot be read, even if nothing in it is needed. */
  readonly onWarning?: (message: string) => void
  /**
   * Whether the call means a session of this engine. Asked only of a local engine with sessions when no engine is named: a
   * session stays on its engine.
   */
  readonly hasSession?: (engine: Engine) => Promise<boolean>
}

/**
 * Finds the named engine: that of `named`, else of TESTFLEET_ENGINE; else the one that the docker command would use. When
 * nobody has named one and none answers, the local engine is used where it can be. Fails with ENGINE_CONFIGURATION.
 */
export async function findEngine(named: string | undefined, host: Host): Promise<EngineLocation> {
  return isLocalNamed(named, host) ? locateNamedLocal(named, host) : fallBack(await locateRemote(named, host), host)
}

/**
 * Opens the engine that `findEngine` finds. Sends it nothing yet. Fails with ENGINE_CONFIGURATION or ENGINE_INSECURE.
 */
export async function openEngine(
  named: string | undefined,
  host: Host,
  { isInsecureAllowed = host.environment.TESTFLEET_INSECURE_ENGINE === '1', onWarning, hasSession }: OpenOptions = {},
): Promise<Engine> {
  if (isLocalNamed(named, host)) return openLocal(locateNamedLocal(named, host))
  const { environment, helperEnvironment, homeFolder: home } = host
  const { problem } = await readDockerConfig({ environment, home })
  if (problem !== undefined) onWarning?.(problem)
  const remote = await locateRemote(named, host)
  if (!isInsecureAllowed) refuseInsecure(remote)
  const kept = hasSession && (await openWithSession(remote, host, hasSession))
  if (kept !== undefined) return kept
  const location = await fallBack(remote, host)
  if (isLocalLocation(location)) return openLocal(location)
  return connectDocker({ ...remote, ...location, endpoint: remote.endpoint }, { environment, helperEnvironment, home })
}

const VARIABLE = 'TESTFLEET_ENGINE'

function isLocalNamed(named: string | undefined, { environment }: Host): boolean {
  return isLocal(named ?? environment[VARIABLE] ?? '')
}

function locateNamedLocal(named: string | undefined, host: Host): LocalLocation {
  const text = named ?? host.environment[VARIABLE] ?? ''
  return locateLocal(text, named === undefined ? VARIABLE : say('engine'), host)
}

function locateRemote(named: string | undefined, host: Host): Promise<RemoteLocation> {
  const { environment, homeFolder: home, platform, userId: uid } = host
  const variable = environment[VARIABLE] || undefined
  const because = named === undefined && variable !== undefined ? VARIABLE : say('engine')
  return locateEngine({ engine: named ?? variable, because, environment, home, platform, uid })
}

async function openWithSession(
  remote: RemoteLocation,
  host: Host,
  hasSession: (engine: Engine) => Promise<boolean>,
): Promise<Engine | undefined> {
  const location = await findWithSessions(remote, host)
  if (location === undefined) return undefined
  const engine = await openLocal(location)
  if (await hasSession(engine).catch(() => false)) return engine
  engine.close()
  return undefined
}

function isLocalLocation(location: EngineLocation): location is LocalLocation {
  return location.endpoint.kind === 'local'
}

/** Its code is loaded on demand: calls with a container engine do not need it. */
async function openLocal(location: LocalLocation): Promise<Engine> {
  const { connectLocal } = await import('./local/connect.ts')
  return connectLocal(location, location.endpoint)
}

/** Fails with ENGINE_INSECURE for an engine on another machine that is used without TLS. */
function refuseInsecure({ url, because, remoteHost, endpoint }: RemoteLocation): void {
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
