import { carryOut } from '../containers/carry-out.ts'
import { observeSession } from '../containers/observe.ts'
import { resolveSecrets } from '../containers/secrets.ts'
import type { Operation } from '../model/plan.ts'
import type { SessionReport } from '../model/running.ts'
import { createDeeds, type Work } from './deeds.ts'
import { failUp } from './fail-up.ts'
import { undo } from './finish-lease.ts'
import type { OwnLease } from './lease.ts'
import { makeCertificates } from './make-certificates.ts'
import { isNothingToDo, isSameSession, type PlannedUp, planUp, type UpRequest } from './plan-up.ts'
import { reportSession } from './report.ts'
import type { Tools } from './tools.ts'

/** Carries a plan out under a lease; when it fails, the engine is as it was before, and the lease has ended. */
export async function bringUp(
  first: PlannedUp,
  request: UpRequest,
  lease: OwnLease,
  tools: Tools,
): Promise<SessionReport> {
  let planned = first
  let starting: Starting
  try {
    await lease.take()
    // Somebody else may have been at work between the look at the session and the lease.
    const now = await observeSession(tools.engine, request.session, tools)
    if (!isSameSession(planned.observed, now))
      planned = await planUp(request, tools, { lease: lease.id, mayPull: true })
    // Before anything is made: a secret that is missing changes nothing.
    starting = await prepareStart(planned, tools)
  } catch (error) {
    // Nothing but the lease itself is there; what this cannot remove, the keeper does.
    await undo(lease, tools).catch(() => {})
    throw error
  }
  return carryOutPlan(planned, starting, request, lease, tools)
}

/** `lease` is undefined for a plan that changes nothing. */
export async function carryOutPlan(
  { plan, desired, settings, observed }: PlannedUp,
  starting: Starting,
  request: UpRequest,
  lease: OwnLease | undefined,
  tools: Tools,
): Promise<SessionReport> {
  tools.onEvent({ kind: 'planned', plan })
  const work: Work = {
    fleet: request.fleet,
    desired,
    settings,
    observed,
    networkId: observed.networks[0],
    created: new Set(),
    ...starting,
  }
  const images = new Map([...desired.servers].map(([name, { image }]) => [name, image]))
  tools.recorder.begin({ fleet: request.fleet, plan, images, ...starting })
  try {
    await carryOut(plan, createDeeds(work, tools), {
      signal: tools.signal,
      onSkipped(operation, because) {
        if (operation.kind !== 'startServer') return
        tools.onEvent({ kind: 'skipped', server: operation.server, because: describeOperation(because) })
      },
    })
    const after = isNothingToDo(plan) ? observed : await observeSession(tools.engine, request.session, tools)
    return await reportSession(after, tools.engine, new Set(desired.servers.keys()), tools.signal)
  } catch (error) {
    throw await failUp(error, request, work, lease, tools)
  }
}

/** What only the servers that are started are given, by server. */
export type Starting = Pick<Work, 'secrets' | 'certificates'>

export const nothingStarts: Starting = { secrets: new Map(), certificates: new Map() }

async function prepareStart(planned: PlannedUp, { host }: Tools): Promise<Starting> {
  const names = planned.plan.operations.flatMap((operation) =>
    operation.kind === 'startServer' ? [operation.server] : [],
  )
  const servers = names.flatMap((name) => planned.desired.servers.get(name)?.server ?? [])
  const [secrets, certificates] = await Promise.all([
    Promise.all(servers.map(async (server) => [server.name, await resolveSecrets(server, host)] as const)),
    makeCertificates(servers, planned),
  ])
  return { secrets: new Map(secrets), certificates }
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
