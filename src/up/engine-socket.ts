import type { EngineLocation } from '../engine/engine.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'

/** Where the engine's machine has the engine's own socket; undefined for an engine that is not reached by one. */
export function findEngineSocket({ endpoint }: EngineLocation, platform: NodeJS.Platform): string | undefined {
  if (endpoint.kind !== 'socket' || platform === 'win32') return undefined
  // Elsewhere the engine runs in a machine of its own, which knows nothing of this one's sockets.
  return platform === 'linux' ? endpoint.path : '/var/run/docker.sock'
}

/** Fails with ENGINE_CONFIGURATION where a server asks for a socket that there is not. */
export function refuseEngineSocket(servers: readonly Server[], fleet: Fleet, location: EngineLocation): void {
  const server = servers.find(({ unsafe }) => unsafe.engineSocket)
  if (server === undefined) return
  throw new TestfleetError(
    'ENGINE_CONFIGURATION',
    `${server.name} asks for the engine's socket, and the engine is reached at ${location.url}`,
    {
      server: server.name,
      at: fleet.source.locate(['servers', server.name, 'unsafe', 'engineSocket']),
      hint: '`unsafe: { engineSocket: true }` needs an engine that is reached by a unix socket.',
    },
  )
}
