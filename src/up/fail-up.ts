import { awaitPutBack } from '../report/report.ts'
import type { OwnChange } from '../sessions/change.ts'
import { cleanupSignal } from '../sessions/cleanup-signal.ts'
import { collectErrors, withLeftovers } from '../sessions/end.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { explainRemoval } from './explain-removal.ts'
import type { Work } from './operations.ts'
import type { UpRequest } from './plan-up.ts'
import { recordServers } from './record-servers.ts'

/** Writes the failure bundle, undoes what the call created, and returns the error to throw. */
export async function failUp(
  given: unknown,
  request: Pick<UpRequest, 'keepOnFailure' | 'onKept' | 'shared'>,
  work: Work,
  record: StoredRecord,
  tools: Tools,
): Promise<unknown> {
  const { change, startedAt } = work
  const isCancelled = tools.cancelSignal.aborted
  const error = await explainRemoval(given, work.created, record, tools)
  tools.onEvent({ kind: 'phaseBegan', phase: 'bundle' })
  // Loaded on demand: most calls do not fail.
  const { captureFailure } = await import('../failure/bundle/capture.ts')
  await captureFailure(error, change?.record ?? record, tools)
  await (await import('../why/note-failure.ts')).noteFailure(error, change?.record ?? record, tools)
  if (change === undefined) return error
  await request.shared?.onFailing(error)
  tools.onEvent({ kind: 'phaseBegan', phase: 'undo' })
  const later = { ...tools, signal: await cleanupSignal(change.record.id, tools) }
  const isHeld = request.onKept !== undefined && work.created.size > 0 && !isCancelled
  const isKept = isHeld || (request.keepOnFailure && !isCancelled)
  // The change itself has succeeded; only the report, or the removal of replaced servers, has failed.
  if (change.isSaved) change.handOver()
  else if (isKept && !isHeld) tools.onEvent({ kind: 'kept', session: record.name, servers: [...startedAt.keys()] })
  else if (!isKept) tools.onEvent({ kind: 'rollingBack', servers: [...startedAt.keys()] })
  if (change.isSaved) return error
  const undo = (): Promise<void> => change.undo({ recheckMs: 0, awaitReady: awaitPutBack(later) }, later)
  const [cleanup] = await collectErrors([isKept ? keep(work, change, isHeld, later) : undo()])
  if (cleanup !== undefined) return withLeftovers(error, cleanup)
  if (isHeld) request.onKept?.(change)
  return error
}

/** Keeps the created servers in the session and removes those that they were to replace. */
async function keep(work: Work, change: OwnChange, isHeld: boolean, tools: Tools): Promise<void> {
  const { runtime, onEvent } = tools
  const { name, domain } = work.fleet
  const servers = await recordServers(change, work, tools)
  try {
    await change.save({ fleet: name, domain, servers, lifetime: isHeld ? undefined : keptLifetime(change) })
    for (const { container } of change.record.change?.replaced ?? []) {
      await runtime.removeServer({ id: container, labels: {}, state: 'exited' })
    }
    await runtime.removeUnfinishedImages(change.id)
    await change.finish()
  } catch (error) {
    onEvent({ kind: 'warned', message: 'some replaced servers could not be removed yet; the keeper tries again' })
    change.handOver()
    throw error
  }
}

/** A kept session becomes lasting, because this process no longer holds it. */
function keptLifetime({ record }: OwnChange): { readonly kind: 'lasting' } | undefined {
  return record.lifetime.kind === 'held' ? { kind: 'lasting' } : undefined
}
