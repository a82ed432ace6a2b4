import { arch } from 'node:os'
import type { EngineLocation } from '../engine/engine.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { refuseEngineSocket } from './describe-server.ts'

/** Names of this processor in platforms. */
const processors: Readonly<Record<string, readonly string[]>> = {
  x64: ['amd64', 'x86_64'],
  arm64: ['arm64', 'aarch64'],
}

/**
 * Fails with ENGINE_CONFIGURATION, at its line of the fleet file, for what the local engine cannot do: it has no socket, it runs
 * no programs of other processors, and servers of an ordinary user have no limits of memory and processors: those that a preset of
 * the catalogue sets are left out.
 */
export function refuseOnLocal(
  servers: readonly Server[],
  fleet: Fleet,
  location: EngineLocation,
  { userId, processor = arch() }: { readonly userId: number | undefined; readonly processor?: string },
): void {
  if (location.endpoint.kind !== 'local') return
  refuseEngineSocket(servers, fleet, location)
  if (userId !== 0) refuseLimits(servers, fleet)
  const own = processors[processor] ?? [processor]
  for (const { name, platform } of servers) {
    const [system, wanted = ''] = platform?.split('/') ?? []
    if (system === undefined || (system === 'linux' && own.includes(wanted))) continue
    throw new TestfleetError(
      'ENGINE_CONFIGURATION',
      `${name} is for ${platform}, but the local engine runs only programs for linux/${own[0]}`,
      {
        server: name,
        at: fleet.source.locate(['servers', name, 'platform']),
        hint: 'Remove `platform`, or use a container engine that emulates that processor.',
      },
    )
  }
}

function refuseLimits(servers: readonly Server[], fleet: Fleet): void {
  for (const { name, limits } of servers) {
    const set = [limits.memoryBytes !== undefined && 'memory', limits.cpus !== undefined && 'cpus'] as const
    // A limit that only the catalogue sets protects the machine, and its server works without it.
    const isOwn = (name: string) => (key: string) =>
      fleet.source.originOf(['servers', name, 'limits', key]) !== 'catalogue'
    const key = set.filter((one) => one !== false).find(isOwn(name))
    if (key === undefined) continue
    throw new TestfleetError(
      'ENGINE_CONFIGURATION',
      `${name} has a limit of ${key === 'memory' ? 'memory' : 'processors'}, which the local engine of an ordinary user cannot set`,
      {
        server: name,
        at: fleet.source.locate(['servers', name, 'limits', key]),
        hint: 'Run testfleet as root, use a container engine, or remove the limit.',
      },
    )
  }
}
