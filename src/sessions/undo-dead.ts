import type { Undoing } from '../model/session.ts'
import { collectErrors } from './end.ts'
import { isUnchanged } from './is-unchanged.ts'
import { ownHolder } from './keeper/client.ts'
import type { StoredRecord } from './store.ts'
import type { ChangeTools } from './tools.ts'
import { type Undone, type UndoOptions, undoChange } from './undo-change.ts'

/** A call that takes longer is given up, and another one may undo the change. */
const UNDO_MS = 5 * 60_000
const GIVE_BACK_MS = 60_000

/**
 * Undoes a change whose processes were found dead. Of several calls that find it, one does so, and the others see a
 * change in progress. Undefined when another call undoes it, or has changed the session since the record was read.
 */
export async function undoDead(
  record: StoredRecord,
  tools: ChangeTools,
  options: UndoOptions,
): Promise<Undone | undefined> {
  const { change } = record
  if (change === undefined) return undefined
  // Only removes things, which several calls can do at once; and a record may be too much for a full disk.
  if (change.isFirst && change.stage === 'making') {
    return (await isUnchanged(record, tools)) ? undoChange(record, tools, options) : undefined
  }
  const undoing: Undoing = { by: ownHolder(tools.host.processId), untilMs: Date.now() + UNDO_MS }
  const taken = await tools.sessions.replace(record, { ...record, change: { ...change, undoing } }, tools)
  if (taken === undefined) return undefined
  try {
    return await undoChange(taken, tools, options)
  } catch (error) {
    await collectErrors([giveBack(taken, undoing, tools)])
    throw error
  }
}

/** Allows later calls to try again, with a separate deadline: the call's signal may already have fired. */
async function giveBack({ id }: StoredRecord, { by, untilMs }: Undoing, { sessions }: ChangeTools): Promise<void> {
  await sessions.update(
    id,
    (now) => {
      const { change } = now
      const isMine = change?.undoing?.untilMs === untilMs && change.undoing.by.process.pid === by.process.pid
      return isMine ? { ...now, change: { ...change, undoing: undefined } } : undefined
    },
    { signal: AbortSignal.timeout(GIVE_BACK_MS) },
  )
}
