import { setTimeout as sleep } from 'node:timers/promises'
import { reopenEngine } from '../../engine/reopen-engine.ts'
import { stopGrace } from '../../model/container.ts'
import { label } from '../../model/labels.ts'
import { openContainers } from '../../runtime/containers/open-containers.ts'
import { endSession, removeResources } from '../end.ts'
import { openStore, type StoredRecord } from '../store.ts'
import type { SessionTools } from '../tools.ts'
import { undoChange } from '../undo-change.ts'
import type { Order } from './protocol.ts'

/** How long an engine that cannot be reached is tried; then the next call of testfleet cleans up. */
const GIVE_UP_MS = 15 * 60_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** Between two looks that must both find nothing: what was asked for last may still be under way. */
const SETTLE_MS = 1500

/** Does what is due once nobody is connected any more; tries again until it is done, or the time is over. */
export async function cleanUp(order: Order): Promise<void> {
  const giveUp = AbortSignal.timeout(GIVE_UP_MS)
  // A try that has begun has the time that servers have to stop.
  const lastTry = AbortSignal.timeout(GIVE_UP_MS + stopGrace.longestMs)
  const runtime = openContainers(reopenEngine(order.endpoint, 'keeper'))
  const tools = { runtime, sessions: openStore(runtime), onEvent() {}, signal: lastTry }
  for (let pauseMs = FIRST_PAUSE_MS; !giveUp.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await cleanOnce(order, tools)
    } catch {
      await sleep(pauseMs)
    }
  }
}

async function cleanOnce(order: Order, tools: SessionTools): Promise<void> {
  const record = await findRecord(order, tools)
  if (record === undefined) {
    // Another call has taken the session down, and what was asked for last may come after that.
    await removeResources({ [label.session]: order.id }, tools, { settleMs: 0 })
    await removeResources({ [label.change]: order.change }, tools, { settleMs: 0 })
    return tools.runtime.removeUnfinishedImages(order.change, { signal: tools.signal })
  }
  const { lifetime, change } = record
  const isMine = lifetime.kind !== 'lasting' && lifetime.keeper?.process.pid === process.pid
  const leftMs = isMine && lifetime.kind === 'until' ? lifetime.untilMs - Date.now() : 0
  if (isMine && leftMs <= 0) await endSession(record, tools, { settleMs: SETTLE_MS })
  else if (change?.id === order.change) await undoChange(record, tools, { settleMs: SETTLE_MS })
  await tools.sessions.tidy(order.id, { signal: tools.signal })
  if (leftMs <= 0) return
  // Its starter died after it had stored the time, and before it could say so.
  await sleep(leftMs)
  await cleanUp(order)
}

/** The record may have been asked for just before its writer died. */
async function findRecord({ id }: Order, { sessions, signal }: SessionTools): Promise<StoredRecord | undefined> {
  const record = await sessions.find(id, { signal })
  if (record !== undefined) return record
  await sleep(SETTLE_MS)
  return sessions.find(id, { signal })
}
