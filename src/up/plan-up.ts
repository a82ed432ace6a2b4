import type { Authority } from '../certificates/make-certificates.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import type { Observed } from '../model/observed.ts'
import type { Desired, Operation, Plan, PreparedImage } from '../model/plan.ts'
import type { Change, ServerRecord } from '../model/session.ts'
import { reconcile, selectServers } from '../plan/reconcile.ts'
import { matchServers, type ObservedServers } from '../report/report.ts'
import { readLife } from '../report/server-state.ts'
import { type Resources, stopsGracefully } from '../runtime/runtime.ts'
import { desireServer, findEngineSocket, refuseEngineSocket, type SessionSettings } from '../servers/describe-server.ts'
import { refuseMissingDevices } from '../servers/devices.ts'
import { refuseOnLocal } from '../servers/refuse-local.ts'
import { findChangedSecrets, openSecretReader, type SecretReader } from '../servers/secrets.ts'
import type { OwnChange } from '../sessions/change.ts'
import type { Target, TargetChoice } from '../sessions/resolve.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { planAuthority } from './plan-authority.ts'
import { prepareServers } from './prepare-servers.ts'
import { hasOldVariables, type PlannedProcesses } from './process-variables.ts'

export interface UpRequest {
  readonly fleet: Fleet
  /** Servers to bring up, together with their dependencies; empty for all. */
  readonly servers: readonly string[]
  readonly session: TargetChoice
  readonly bind: 'free' | 'fixed'
  /** Lifetime of the session; undefined keeps it until it is taken down. */
  readonly ttlMs?: number | undefined
  /** Whether to keep started servers when something fails. */
  readonly keepOnFailure: boolean
  /** Whether the session's certificates are of an authority that nobody keeps. */
  readonly isThrowAway?: true | undefined
  /**
   * Called when the start of a new session has failed and some servers were created. They stay, and this process goes on
   * holding the session.
   */
  readonly onKept?: ((change: OwnChange) => void) | undefined
  /** The start of a session for which other calls wait. */
  readonly shared?: SharedStart | undefined
}

/**
 * Such a start fails with NAME_TAKEN when another call creates the session at the same time, even if that one has failed
 * meanwhile.
 */
export interface SharedStart {
  /** Called with the failure of a start before it is undone. */
  readonly onFailing: (error: unknown) => Promise<void>
}

export interface PlannedUp {
  readonly plan: Plan
  readonly target: Target
  readonly desired: Desired
  /** Settings without the ids of the change, which are not known yet. */
  readonly settings: SessionSettings
  /** The fleet's certificate authority; undefined without certificates, and when nothing is created. */
  readonly authority: Authority | undefined
  readonly observed: ObservedServers
  /** Reads the secrets of running servers. */
  readonly readSecrets: SecretReader
}

const nothing: Resources = { servers: [], networks: [], volumes: [] }

/**
 * Plans what `up` does to its target. With `mayPull`, base images of builds are pulled first: without them, the names
 * of the built images are unknown.
 */
export async function planUp(
  request: UpRequest,
  target: Target,
  tools: Tools,
  { mayPull }: { readonly mayPull: boolean },
): Promise<PlannedUp> {
  const { fleet } = request
  const record = target.kind === 'existing' ? target.record : undefined
  const name = target.kind === 'existing' ? target.record.name : target.session.name
  const selected = selectServers(fleet, request.servers)
  const resources = record === undefined ? nothing : await tools.runtime.observe({ [label.session]: record.id }, tools)
  const observed = matchServers(record ?? { servers: {}, change: undefined }, resources.servers)
  const readSecrets = openSecretReader(tools.runtime, tools.host, tools)
  const given = describeSettings(request, name, record, resources, tools)
  refuseOnLocal(selected, fleet, tools.engine.location, tools.host)
  if (given.engineSocket === undefined) refuseEngineSocket(selected, fleet, tools.engine.location)
  refuseMissingDevices(selected, fleet, tools.engine.location, tools.host.platform)
  const servers = withRunningDependents(selected, fleet, observed)
  // An engine lists a container with its image's name only while that name still refers to that image.
  const inUse = new Set([...observed.values()].map(({ container }) => container.image))
  const kind = request.isThrowAway ? 'throwAway' : mayPull ? 'made' : 'stored'
  const [{ images, missingBases, mounts }, authority] = await Promise.all([
    prepareServers(servers, fleet, { inUse, mayPull }, tools),
    planAuthority(fleet, kind, tools),
  ])
  const settings = { ...given, authority: authority?.record }
  const desired: Desired = {
    session: name,
    isWholeFleet: request.servers.length === 0,
    isRecordNew: request.ttlMs !== undefined,
    servers: new Map(
      servers.map((server) => [
        server.name,
        desireServer(server, fleet, imageOf(images, server), settings, mounts.get(server.name)),
      ]),
    ),
  }
  const plan = reconcile(
    desired,
    await describeObserved(
      observed,
      servers,
      { ...resources, fleet, session: name, desired: desired.servers, readSecrets },
      tools,
    ),
  )
  const pulls = missingBases.map(
    (base): Operation => ({ ...base, id: `pull ${base.reference}`, needs: [], kind: 'pullImage' }),
  )
  // An image that another one depends on can be that of a server as well.
  const known = new Set(plan.operations.map(({ id }) => id))
  const operations = [...pulls.filter(({ id }) => !known.has(id)), ...plan.operations]
  return { plan: { ...plan, operations }, target, desired, settings, authority: authority?.own, observed, readSecrets }
}

/** Whether nothing would change. */
export function isNothingToDo({ operations }: Plan): boolean {
  return operations.every(({ kind }) => kind === 'keepServer')
}

export type Affected = Pick<Change, 'replaced' | 'resumed' | 'starting'>

/** Returns the servers that a plan sets aside and the ones that it starts. */
export function findAffected({ plan, observed, desired }: PlannedUp): Affected {
  const replaced = plan.operations.flatMap((operation) => {
    if (operation.kind !== 'stopServer') return []
    const { server, container } = operation
    const state = observed.get(server)?.container.state
    return [{ server, container, ran: state === 'running' || state === 'paused' }]
  })
  const resumed = plan.operations.flatMap((operation) => {
    if (operation.kind !== 'resumeServer') return []
    const { server, container, wasPaused } = operation
    return [{ server, container, wasPaused }]
  })
  const starting = plan.operations.flatMap((operation) => {
    const spec = operation.kind === 'startServer' ? desired.servers.get(operation.server)?.spec : undefined
    return operation.kind === 'startServer' && spec !== undefined ? [[operation.server, spec] as const] : []
  })
  return { replaced, starting: Object.fromEntries(starting), ...(resumed.length > 0 && { resumed }) }
}

function describeSettings(
  { bind }: UpRequest,
  session: string,
  record: StoredRecord | undefined,
  { networks, volumes }: Resources,
  { engine, host }: Tools,
): SessionSettings {
  return {
    session,
    sessionId: record?.id ?? '',
    change: '',
    owner: host.owner,
    network: networks[0]?.name,
    volumes: new Map(
      volumes.flatMap(({ name, labels }) => (labels[label.volume] ? [[labels[label.volume] ?? '', name]] : [])),
    ),
    bind,
    // Clients on other machines cannot reach the engine's loopback.
    defaultAddress: engine.location.remoteHost === undefined ? '127.0.0.1' : '0.0.0.0',
    engineHost: engine.location.remoteHost,
    engineSocket: findEngineSocket(engine.location, host.platform),
    authority: undefined,
  }
}

/** Returns the selected servers and the running ones that depend on them, which may have to be started again. */
function withRunningDependents(selected: readonly Server[], fleet: Fleet, observed: ObservedServers): Server[] {
  const names = new Set(selected.map(({ name }) => name))
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false
    for (const server of fleet.servers.values()) {
      if (names.has(server.name) || !observed.has(server.name)) continue
      if (!server.dependsOn.some((name) => names.has(name))) continue
      names.add(server.name)
      isGrowing = true
    }
  }
  return [...fleet.servers.values()].filter(({ name }) => names.has(name))
}

function imageOf(images: ReadonlyMap<string, PreparedImage>, server: Server): PreparedImage {
  const image = images.get(server.name)
  if (image === undefined) throw new Error(`no image was prepared for ${server.name}`)
  return image
}

/** Compares secrets only for the servers of this call: missing secrets of other servers do not matter. */
async function describeObserved(
  observed: ObservedServers,
  servers: readonly Server[],
  { networks, volumes, fleet, session, desired, readSecrets }: Resources & Omit<PlannedProcesses, 'observed'>,
  tools: Tools,
): Promise<Observed> {
  const { runtime, host, signal } = tools
  const options = { signal }
  const { source } = fleet
  const described = await Promise.all(
    [...observed.values()].map(async ({ name, container, spec }) => {
      const server = servers.find((one) => one.name === name)
      const [life, changedSecrets, isOld] = await Promise.all([
        readLife(container, spec, runtime, options),
        server === undefined
          ? []
          : findChangedSecrets(server, { server: name, container: container.id, spec }, readSecrets, { host, source }),
        server !== undefined &&
          hasOldVariables(server, spec, { fleet, session, observed, desired, readSecrets }, tools),
      ])
      const digest = container.labels[label.digest] ?? ''
      const { container: _, ...known } = spec as typeof spec & { container?: string }
      // One that was never started is replaced, as one that has exited.
      const state = life.state === 'created' ? 'exited' : life.state
      const isStopped = (spec as Partial<ServerRecord>).isStopped === true && container.state === 'exited'
      const { id, image } = container
      return [
        name,
        {
          ...{ name, container: id, image, digest, state, isStopped, isGraceful: stopsGracefully(container) },
          ...{ spec: known, changedSecrets, hasOldVariables: isOld },
        },
      ] as const
    }),
  )
  return {
    hasNetwork: networks.length > 0,
    createsBeforeNetwork: await runtime.createsBeforeNetwork(options),
    volumes: volumes.flatMap(({ labels }) => labels[label.volume] ?? []),
    servers: new Map(described),
  }
}
