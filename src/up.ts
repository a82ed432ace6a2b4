import { sessionLabels } from './containers/desire.ts'
import { down } from './down.ts'
import type { Membership } from './join.ts'
import type { SessionReport } from './model/running.ts'
import { bringUp, carryOutPlan, nothingStarts } from './session/bring-up.ts'
import { settleWork } from './session/finish-lease.ts'
import { type LeaseRequest, makeLeaseId, openLease } from './session/lease.ts'
import { isNothingToDo, planUp, type UpRequest } from './session/plan-up.ts'
import { putTimeLease } from './session/time-lease.ts'
import type { Tools } from './session/tools.ts'

/**
 * Builds, starts, waits until ready. Servers that already are as they shall be are left alone. The session stays until
 * it is taken down, or for `ttlMs`. When it fails, the engine is as it was before, and logs are in the failure's `bundle`.
 */
export async function up(request: UpRequest, tools: Tools): Promise<SessionReport> {
  const id = makeLeaseId()
  const planned = await planUp(request, tools, { lease: id, mayPull: true })
  // What another call is still working on is not there yet: it may be taken back.
  const isSettled = planned.observed.leases.every(({ kind }) => kind !== 'work')
  if (isSettled && isNothingToDo(planned.plan) && request.ttlMs === undefined) {
    return carryOutPlan(planned, nothingStarts, request, undefined, tools)
  }
  const lease = openLease(leaseRequest(id, 'work', request, tools), tools)
  const report = await bringUp(planned, request, lease, tools)
  // The time is on the engine before the lease has ended: a session with a time never loses it.
  const time = request.ttlMs === undefined ? undefined : await putTimeLease(lease, request.ttlMs, tools)
  await settleWork(lease, time, tools)
  return report
}

/**
 * As `up`, of a session that must not be there yet, and that goes when all who hold it have left, or have died: this
 * process is the first of them.
 */
export async function startSession(request: UpRequest, tools: Tools): Promise<Membership> {
  // The keeper comes up while the session is planned.
  const lease = openLease(leaseRequest(makeLeaseId(), 'hold', request, tools), tools)
  const planned = await planUp(request, tools, { lease: lease.id, mayPull: true }).catch((error: unknown) => {
    lease.abandon()
    throw error
  })
  const report = await bringUp(planned, request, lease, tools)
  return {
    report,
    socket: lease.socket,
    async end(later) {
      try {
        const held = await lease.leave()
        if (held === 0) await down(request.session, later)
        return held
      } finally {
        // It looks once more, or goes on with what could not be done now.
        lease.abandon()
      }
    },
  }
}

function leaseRequest(
  id: string,
  kind: LeaseRequest['kind'],
  { fleet, session }: UpRequest,
  { host }: Tools,
): LeaseRequest {
  return { id, session, kind, labels: sessionLabels(fleet, { session, owner: host.owner, lease: id }) }
}
