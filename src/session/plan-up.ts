import type { Authority } from '../certificates/make-authority.ts'
import { desireServer, type SessionSettings } from '../containers/desire.ts'
import { type ObservedSession, observeServer, observeSession } from '../containers/observe.ts'
import { findChangedSecrets } from '../containers/secrets.ts'
import { prepareImages, prepareImagesAndBases } from '../images/prepare-images.ts'
import type { AuthorityRecord } from '../model/certificate.ts'
import { TestfleetError } from '../model/failures.ts'
import { type Fleet, type Server, usesCertificates } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { Desired, Observed, Operation, Plan, PreparedImage } from '../model/plan.ts'
import { reconcile } from '../plan/reconcile.ts'
import { selectServers } from '../plan/select-servers.ts'
import { findEngineSocket, refuseEngineSocket } from './engine-socket.ts'
import type { Tools } from './tools.ts'

export interface UpRequest {
  readonly fleet: Fleet
  /** The servers to bring up, with all that they depend on; none is all. */
  readonly servers: readonly string[]
  readonly session: string
  /** Whether nothing of the session may be there, as it is taken down at the end. */
  readonly isNew: boolean
  readonly bind: 'free' | 'fixed'
  /** How long the session lives; undefined until it is taken down. */
  readonly ttlMs?: number | undefined
  /** Leave what was started when something fails. */
  readonly keepOnFailure: boolean
}

export interface PlanOptions {
  /** The id of the lease under which things will be made; see `makeLeaseId`. */
  readonly lease: string
  readonly mayPull: boolean
}

export interface PlannedUp {
  readonly plan: Plan
  readonly desired: Desired
  readonly settings: SessionSettings
  /** The fleet's own; undefined without certificates, and where nothing is made. */
  readonly authority: Authority | undefined
  readonly observed: ObservedSession
}

/** What `up` would do. With `mayPull`, images that builds start from are pulled first, as nothing can be named without. */
export async function planUp(request: UpRequest, tools: Tools, { lease, mayPull }: PlanOptions): Promise<PlannedUp> {
  const { fleet, session } = request
  const selected = selectServers(fleet, request.servers)
  const given: SessionSettings = {
    session,
    owner: tools.host.owner,
    lease,
    bind: request.bind,
    // Nobody reaches the loopback of another machine.
    defaultAddress: tools.engine.location.remoteHost === undefined ? '127.0.0.1' : '0.0.0.0',
    engineHost: tools.engine.location.remoteHost,
    engineSocket: findEngineSocket(tools.engine.location, tools.host.platform),
    authority: undefined,
  }
  if (given.engineSocket === undefined) refuseEngineSocket(selected, fleet, tools.engine.location)
  const observed = await observeSession(tools.engine, session, tools)
  const isKnown = observed.servers.size + observed.networks.length > 0
  if (isKnown && observed.fleet !== fleet.name) throw ofAnotherFleet(observed)
  if (request.isNew && !observed.isEmpty) throw isThere(observed)
  const servers = withRunningDependents(selected, fleet, observed)
  // An engine lists a container with the name of its image only while that name is the image's.
  const inUse = new Set([...observed.servers.values()].map(({ container }) => container.image))
  const options = { signal: tools.signal, inUse }
  const [{ byServer: images, missingBases }, authority] = await Promise.all([
    mayPull
      ? prepareImagesAndBases(fleet, servers, tools.engine, tools.onEvent, options)
      : prepareImages(fleet, servers, tools.engine, options),
    planAuthority(fleet, mayPull, tools.host),
  ])
  const settings = { ...given, authority: authority?.record }
  const desired: Desired = {
    session,
    isWholeFleet: request.servers.length === 0,
    servers: new Map(
      servers.map((server) => [server.name, desireServer(server, fleet, imageOf(images, server), settings)]),
    ),
  }
  const plan = reconcile(desired, await describeObserved(observed, fleet, tools))
  const pulls = missingBases.map(
    (base): Operation => ({ ...base, id: `pull ${base.reference}`, needs: [], kind: 'pullImage' }),
  )
  return {
    plan: { ...plan, operations: [...pulls, ...plan.operations] },
    desired,
    settings,
    authority: authority?.own,
    observed,
  }
}

interface PlannedAuthority {
  readonly record: AuthorityRecord
  readonly own: Authority | undefined
}

/** One that is still to be made has no fingerprint that anybody has. */
const notYetMade: AuthorityRecord = { fingerprint: '', endsAtMs: 0 }

async function planAuthority(fleet: Fleet, mayMake: boolean, host: Host): Promise<PlannedAuthority | undefined> {
  if (!usesCertificates(fleet)) return undefined
  // Few fleets have certificates.
  const { findAuthority, keepAuthority } = await import('../certificates/keep-authority.ts')
  const own = mayMake ? await keepAuthority(fleet, host) : await findAuthority(fleet, host)
  if (own === undefined) return { record: notYetMade, own }
  return { record: { fingerprint: own.fingerprint, endsAtMs: own.endsAtMs }, own }
}

/** Whether nothing would change. */
export function isNothingToDo({ operations }: Plan): boolean {
  return operations.every(({ kind }) => kind === 'keepServer')
}

/** Whether a session looks as it did, as far as a plan can depend on it. */
export function isSameSession(one: ObservedSession, other: ObservedSession): boolean {
  return fingerprint(one) === fingerprint(other)
}

function fingerprint({ servers, networks, volumes }: ObservedSession): string {
  const containers = [...servers.values()].map(({ container }) => `${container.id} ${container.state}`)
  return JSON.stringify([containers.sort(), [...networks].sort(), [...volumes].sort()])
}

/** What is taken down at the end must be what was put up. */
function isThere({ session }: ObservedSession): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${session} is there already, and this one would end it`, {
    hint: 'Leave the name of the session out, or use one that is not there.',
  })
}

/** Its servers would be taken for ones that this fleet no longer has. */
function ofAnotherFleet({ session, fleet }: ObservedSession): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${session} is of the fleet ${fleet}`, {
    hint: `Name another session with --session, or remove that one with: testfleet down --session ${session}`,
  })
}

/** Running servers that depend on a selected one may have to be started anew with it. */
function withRunningDependents(selected: readonly Server[], fleet: Fleet, observed: ObservedSession): Server[] {
  const names = new Set(selected.map(({ name }) => name))
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false
    for (const server of fleet.servers.values()) {
      if (names.has(server.name) || !observed.servers.has(server.name)) continue
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

async function describeObserved(
  observed: ObservedSession,
  fleet: Fleet,
  { engine, host, signal }: Tools,
): Promise<Observed> {
  const servers = await Promise.all(
    [...observed.servers.values()].map(async (container) => {
      const server = fleet.servers.get(container.name)
      const [state, changedSecrets] = await Promise.all([
        observeServer(container, engine, { signal }),
        server === undefined ? [] : findChangedSecrets(server, container.container.id, engine, host, { signal }),
      ])
      return [container.name, { ...state, changedSecrets }] as const
    }),
  )
  const prefix = `${observed.session}-`
  return {
    networkId: observed.networks[0],
    volumes: observed.volumes.map((volume) => (volume.startsWith(prefix) ? volume.slice(prefix.length) : volume)),
    servers: new Map(servers),
  }
}
