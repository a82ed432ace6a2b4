import { carryOut } from './containers/carry-out.ts'
import { desireServer, type SessionSettings } from './containers/desire.ts'
import { type ObservedSession, observeServer, observeSession } from './containers/observe.ts'
import { findChangedSecrets, resolveSecrets } from './containers/secrets.ts'
import { prepareImages, prepareImagesAndBases } from './images/prepare-images.ts'
import { TestfleetError } from './model/failures.ts'
import type { Fleet, Server } from './model/fleet.ts'
import type { Desired, Observed, Operation, Plan, PreparedImage } from './model/plan.ts'
import type { SessionReport } from './model/running.ts'
import { reconcile } from './plan/reconcile.ts'
import { selectServers } from './plan/select-servers.ts'
import { createDeeds, type Work } from './session/deeds.ts'
import { failUp } from './session/fail-up.ts'
import { reportSession } from './session/report.ts'
import { madeNothing } from './session/roll-back.ts'
import type { Tools } from './session/tools.ts'

export interface UpRequest {
  readonly fleet: Fleet
  /** The servers to bring up, with all that they depend on; none is all. */
  readonly servers: readonly string[]
  readonly session: string
  /** Whether nothing of the session may be there, as it is taken down at the end. */
  readonly isNew: boolean
  readonly bind: 'free' | 'fixed'
  /** Leave what was started when something fails. */
  readonly keepOnFailure: boolean
}

/**
 * Builds, starts, waits until ready. Servers that already are as they shall be are left alone.
 * When it fails, what it had started is gone again, and their logs are in the failure's `bundle`.
 */
export async function up(request: UpRequest, tools: Tools): Promise<SessionReport> {
  const { plan, desired, settings, observed } = await planUp(request, tools, { mayPull: true })
  tools.onEvent({ kind: 'planned', plan })
  const work: Work = {
    fleet: request.fleet,
    desired,
    settings,
    observed,
    networkId: observed.networks[0],
    made: madeNothing(),
    // Before anything is made: a secret that is missing changes nothing.
    secrets: await resolveStartingSecrets(plan, desired, tools),
  }
  const images = new Map([...desired.servers].map(([name, { image }]) => [name, image]))
  tools.recorder.begin({ fleet: request.fleet, plan, images, secrets: work.secrets })
  try {
    await carryOut(plan, createDeeds(work, tools), {
      signal: tools.signal,
      onSkipped(operation, because) {
        if (operation.kind !== 'startServer') return
        tools.onEvent({ kind: 'skipped', server: operation.server, because: describeOperation(because) })
      },
    })
    const isUnchanged = plan.operations.every(({ kind }) => kind === 'keepServer')
    const after = isUnchanged ? observed : await observeSession(tools.engine, request.session, { signal: tools.signal })
    return await reportSession(after, tools.engine, new Set(desired.servers.keys()), tools.signal)
  } catch (error) {
    throw await failUp(error, request, work, tools)
  }
}

async function resolveStartingSecrets(plan: Plan, desired: Desired, { host }: Tools): Promise<Work['secrets']> {
  const starting = plan.operations.flatMap((operation) => (operation.kind === 'startServer' ? [operation.server] : []))
  const servers = [...desired.servers.values()].filter(({ server }) => starting.includes(server.name))
  return new Map(
    await Promise.all(servers.map(async ({ server }) => [server.name, await resolveSecrets(server, host)] as const)),
  )
}

/** What failed, for the servers that had to wait for it. */
function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'pullImage':
      return `the image ${operation.reference}`
    case 'buildImage':
      return `the image of ${operation.servers.join(', ')}`
    case 'createNetwork':
      return 'the network'
    case 'createVolume':
      return `the volume ${operation.volume}`
    case 'removeServer':
    case 'startServer':
    case 'keepServer':
      return operation.server
  }
}

export interface PlannedUp {
  readonly plan: Plan
  readonly desired: Desired
  readonly settings: SessionSettings
  readonly observed: ObservedSession
}

/** What `up` would do. With `mayPull`, images that builds start from are pulled first, as nothing can be named without. */
export async function planUp(
  request: UpRequest,
  tools: Tools,
  { mayPull }: { readonly mayPull: boolean },
): Promise<PlannedUp> {
  const { fleet, session } = request
  const selected = selectServers(fleet, request.servers)
  const settings: SessionSettings = {
    session,
    owner: tools.host.owner,
    bind: request.bind,
    // Nobody reaches the loopback of another machine.
    defaultAddress: tools.engine.location.remoteHost === undefined ? '127.0.0.1' : '0.0.0.0',
  }
  const observed = await observeSession(tools.engine, session, tools)
  const isKnown = observed.servers.size + observed.networks.length > 0
  if (isKnown && observed.fleet !== fleet.name) throw ofAnotherFleet(observed)
  if (request.isNew && !observed.isEmpty) throw isThere(observed)
  const servers = withRunningDependents(selected, fleet, observed)
  // An engine lists a container with the name of its image only while that name is the image's.
  const inUse = new Set([...observed.servers.values()].map(({ container }) => container.image))
  const options = { signal: tools.signal, inUse }
  const { byServer: images, missingBases } = mayPull
    ? await prepareImagesAndBases(fleet, servers, tools.engine, tools.onEvent, options)
    : await prepareImages(fleet, servers, tools.engine, options)
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
    observed,
  }
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
