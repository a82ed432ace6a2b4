import { listLeases } from '../containers/lease-labels.ts'
import { dismissLease } from './dismiss-lease.ts'
import { makeLeaseId, type OwnLease, type TimeLease } from './lease.ts'
import type { Tools } from './tools.ts'

/** Lets a session end by itself so long from now; takes the place of a time that it had before. */
export async function putTimeLease(lease: OwnLease, ttlMs: number, tools: Tools): Promise<TimeLease> {
  const time = { id: makeLeaseId(), untilMs: Date.now() + ttlMs }
  await lease.putTimed(time)
  const leases = await listLeases(tools.engine, lease.session, tools)
  const earlier = leases.filter(({ kind, id }) => kind === 'time' && id !== time.id)
  await Promise.all(earlier.map((one) => dismissLease(one, tools)))
  return time
}
