import type { OwnChange } from '../sessions/change.ts'
import { cleanupSignal } from '../sessions/cleanup-signal.ts'
import { collectErrors, withLeftovers } from '../sessions/end.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { firstHold, type Membership } from './membership.ts'
import type { UpRequest } from './plan-up.ts'
import { up } from './up.ts'

/**
 * Called after a failed start, with the session of the started servers. The session is removed when the promise
 * resolves.
 */
export type OnFailedStart = (error: unknown, record: StoredRecord) => Promise<void>

/** Like `up`, for a session that ends when its last holder has left or died. This process is its first holder. */
export async function startSession(
  request: UpRequest,
  records: readonly StoredRecord[],
  tools: Tools,
  onFailed?: OnFailedStart,
): Promise<Membership> {
  let kept: OwnChange | undefined
  const hold = (change: OwnChange): void => {
    kept = change
  }
  const wanted = onFailed === undefined ? request : { ...request, onKept: hold }
  try {
    const { record, report, change } = await up(wanted, records, tools)
    if (change === undefined) throw new Error('a new session has nothing to start')
    return { record, report, socket: change.socket, takenDown: () => undefined, end: firstHold(change, tools) }
  } catch (error) {
    if (kept === undefined || onFailed === undefined) throw error
    throw await showAndLeave(error, kept, onFailed, tools)
  }
}

/** Calls `onFailed`, leaves the session, and returns the error to throw. */
async function showAndLeave(
  error: unknown,
  change: OwnChange,
  onFailed: OnFailedStart,
  tools: Tools,
): Promise<unknown> {
  const end = firstHold(change, tools)
  const [unseen] = await collectErrors([onFailed(error, change.record)])
  const later = { ...tools, signal: await cleanupSignal(change.record.id, tools) }
  const [cleanup] = await collectErrors([end(later)])
  if (cleanup !== undefined) return withLeftovers(error, cleanup)
  return unseen ?? error
}
