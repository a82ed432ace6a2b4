import { awaitReturn } from '../report/report.ts'
import type { OwnChange } from '../sessions/change.ts'
import { cleanupSignal, settleAll, withLeftovers } from '../sessions/end.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { recordServers, type Work } from './operations.ts'

/** Saves what can be known of the failure, takes back what the call had created, and returns what to throw. */
export async function failUp(
  error: unknown,
  request: { readonly keepOnFailure: boolean },
  work: Work,
  record: StoredRecord,
  tools: Tools,
): Promise<unknown> {
  const { change, startedAt } = work
  const isCancelled = tools.cancelSignal.aborted
  // Loaded on demand: most calls do not fail.
  const { captureFailure } = await import('../failure/bundle/capture.ts')
  await captureFailure(error, change?.record ?? record, tools)
  if (change === undefined) return error
  const later = { ...tools, signal: await cleanupSignal(change.record.id, tools) }
  const isKept = request.keepOnFailure && !isCancelled
  // The session is what it was to be; only its report, or the removal of what it replaced, has failed.
  if (change.isSaved) change.leaveAlone()
  else if (isKept) tools.onEvent({ kind: 'kept', session: record.name })
  else tools.onEvent({ kind: 'rollingBack', servers: [...startedAt.keys()] })
  if (change.isSaved) return error
  const undo = (): Promise<void> => change.undo({ settleMs: 0, awaitReady: awaitReturn(later) }, later)
  const [cleanup] = await settleAll([isKept ? keep(work, change, later) : undo()])
  return cleanup === undefined ? error : withLeftovers(error, cleanup)
}

/** The servers that were created stay, and are the session's; what they were to replace goes. */
async function keep(work: Work, change: OwnChange, tools: Tools): Promise<void> {
  const { runtime, onEvent } = tools
  const { name, domain } = work.fleet
  const servers = await recordServers(change, work, tools)
  try {
    await change.save({ fleet: name, domain, servers, lifetime: keptLifetime(change) })
    for (const { container } of change.record.change?.replaced ?? []) {
      await runtime.removeServer({ id: container, labels: {}, state: 'exited' })
    }
    await runtime.removeUnfinishedImages(change.id)
    await change.finish()
  } catch (error) {
    onEvent({ kind: 'warned', message: 'what was replaced is not gone yet, and is tried again' })
    change.leaveAlone()
    throw error
  }
}

/** Nobody would be left to hold it. */
function keptLifetime({ record }: OwnChange): { readonly kind: 'lasting' } | undefined {
  return record.lifetime.kind === 'held' ? { kind: 'lasting' } : undefined
}
