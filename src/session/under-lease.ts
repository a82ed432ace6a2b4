import { sessionLabels } from '../containers/desire.ts'
import { isFailure } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import { settleWork, undo } from './finish-lease.ts'
import { makeLeaseId, openLease } from './lease.ts'
import { makeSessionName } from './session-name.ts'
import { settleAll } from './settle.ts'
import type { Tools } from './tools.ts'

/**
 * Does work that makes things on the engine which last no longer than the work: it gets the id of a lease of its own for
 * them. When it fails, what there is of them is removed.
 */
export async function underLease<Result>(
  fleet: Fleet,
  tools: Tools,
  work: (lease: string) => Promise<Result>,
): Promise<Result> {
  const id = makeLeaseId()
  // A session that only the lease is ever of.
  const session = makeSessionName(fleet.name)
  const labels = sessionLabels(fleet, { session, owner: tools.host.owner, lease: id })
  const lease = openLease({ id, session, kind: 'work', labels }, tools)
  try {
    await lease.take()
    const result = await work(id)
    await settleWork(lease, undefined, tools)
    return result
  } catch (error) {
    const [cleanup] = await settleAll([undo(lease, tools)])
    if (cleanup === undefined) throw error
    if (!isFailure(error)) throw new AggregateError([error, cleanup])
    error.leftovers = (cleanup as Error).message
    throw error
  }
}
