import { isFailure } from '../model/failures.ts'
import type { Work } from './deeds.ts'
import { settleWork, undo } from './finish-lease.ts'
import type { OwnLease } from './lease.ts'
import { removeUnfinished } from './remove-unfinished.ts'
import { settleAll } from './settle.ts'
import type { Tools } from './tools.ts'

/** Saves what can be known of the failure, takes back what the call had made, and returns what to throw. */
export async function failUp(
  error: unknown,
  request: { readonly session: string; readonly keepOnFailure: boolean },
  work: Work,
  lease: OwnLease | undefined,
  tools: Tools,
): Promise<unknown> {
  const isCancelled = tools.cancelSignal.aborted
  const servers = [...work.created]
  // Most calls fail at nothing.
  const { captureFailure } = await import('../failure/bundle/capture.ts')
  await captureFailure(error, request.session, tools)
  // Nothing was made.
  if (lease === undefined) return error
  const isKept = request.keepOnFailure && !isCancelled
  if (isKept) tools.onEvent({ kind: 'kept', session: request.session })
  else tools.onEvent({ kind: 'rollingBack', servers })
  const [cleanup] = await settleAll([isKept ? keep(lease, tools) : undo(lease, tools)])
  if (cleanup === undefined) return error
  if (!isFailure(error)) return new AggregateError([error, cleanup])
  error.leftovers = (cleanup as Error).message
  return error
}

/** Servers stay; an image that is not finished does not, nor what was made to read one. */
async function keep(lease: OwnLease, tools: Tools): Promise<void> {
  await removeUnfinished(lease.id, tools)
  await settleWork(lease, undefined, tools)
}
