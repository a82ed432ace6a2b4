import { label } from '../model/labels.ts'
import type { Keeper } from '../model/session.ts'
import { joinKeeper } from './keeper/client.ts'
import type { StoredRecord } from './record.ts'
import { type CleanOptions, type Removed, removeResources } from './remove.ts'
import type { SessionTools } from './tools.ts'

/**
 * Removes everything that a session owns, and its record last: whoever is interrupted here leaves a session that can be
 * found. Fails with CLEANUP_FAILED, once all has been tried.
 */
export async function endSession(record: StoredRecord, tools: SessionTools, options: CleanOptions): Promise<Removed> {
  const { sessions, runtime, signal } = tools
  const { id, change, lifetime } = record
  const removed = await removeResources({ [label.session]: id }, tools, options)
  if (change !== undefined) {
    // Images that are not complete, and containers that read them, belong to the change alone.
    await removeResources({ [label.change]: change.id }, tools, { settleMs: 0 })
    await runtime.removeUnfinishedImages(change.id, { signal })
  }
  await sessions.remove(id, { signal })
  if (lifetime.kind !== 'lasting') await dismissKeeper(lifetime.keeper)
  return removed
}

/** Lets a keeper end that has nothing left to do. */
export async function dismissKeeper(keeper: Keeper | undefined): Promise<void> {
  if (keeper === undefined || keeper.socket === '') return
  const client = await joinKeeper(keeper.socket)
  client?.tell({ do: 'end' })
  client?.close()
}
