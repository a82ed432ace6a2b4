import { referenceOf } from '../model/desired-image.ts'
import type { Fleet } from '../model/fleet.ts'
import type { DesiredServer } from '../model/plan.ts'
import { desireServer, type SessionSettings } from '../servers/describe-server.ts'
import { findKeptPorts } from '../servers/kept-ports.ts'
import type { StartRequest } from '../servers/start-server.ts'
import type { Tools } from '../tools.ts'
import { findWanted } from './await-servers.ts'
import type { PlannedUp } from './plan-up.ts'
import type { Starting } from './prepare-start.ts'

interface StartingWork extends Starting {
  readonly fleet: Fleet
  readonly planned: PlannedUp
  readonly settings: SessionSettings
}

/** Returns the id of the container that this call has created for a server. */
export function createdId(server: string, { created }: { readonly created: ReadonlyMap<string, string> }): string {
  const id = created.get(server)
  if (id === undefined) throw new Error(`the plan starts ${server} before it is created`)
  return id
}

/** Describes the start of a server. */
export function describeStart(name: string, work: StartingWork, { runtime, sessions }: Tools): StartRequest {
  const { server, image, digest } = findWanted(name, work)
  const before = work.planned.observed.get(name)
  return {
    server,
    fleet: work.fleet,
    image: referenceOf(image),
    digest,
    settings: work.settings,
    secrets: work.secrets.get(name) ?? new Map(),
    // A process listens at its port itself.
    keptPorts:
      server.runs.kind === 'process'
        ? new Map()
        : findKeptPorts(before?.container.published ?? [], before?.spec.ports ?? []),
    certificates: work.certificates.get(name),
    runtime,
    nameSession: async (id) => (await sessions.find(id))?.name,
  }
}

/**
 * Includes the id of a pulled image, which is known only now. Without it, the next `up` would replace the container.
 */
export async function finalDigest(
  wanted: DesiredServer,
  work: StartingWork,
  { engine }: Tools,
  signal: AbortSignal,
): Promise<string> {
  const { image, server } = wanted
  if (image.kind !== 'named' || image.isPresent) return wanted.digest
  const pulled = await engine.inspectImage(image.reference, { signal })
  return desireServer(server, work.fleet, { desired: image, identity: pulled?.id ?? '' }, work.settings).digest
}
