import { setTimeout as sleep } from 'node:timers/promises'
import { reopenEngine } from '../../engine/reopen-engine.ts'
import { label } from '../../model/labels.ts'
import { openContainers } from '../../runtime/containers/open-containers.ts'
import { withProcesses } from '../../runtime/processes/with-processes.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { withExternal } from '../../runtime/with-external.ts'
import { sumStopTimes } from '../cleanup-signal.ts'
import { endSession, removeResources } from '../end.ts'
import { openStore, type StoredRecord } from '../store.ts'
import type { SessionNotes, SessionTools } from '../tools.ts'
import { undoChange } from '../undo-change.ts'
import type { KeeperOrder } from './protocol.ts'

/** Time after which an unreachable engine is given up. The next call of testfleet then cleans up. */
const GIVE_UP_MS = 15 * 60_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** Pause between two looks that must both find nothing: a request may still be on its way to the engine. */
const RECHECK_MS = 1500

/** Cleans up once nobody is connected any more. Tries again until it succeeds or time is up. */
export async function cleanUp(order: KeeperOrder): Promise<void> {
  const giveUp = AbortSignal.timeout(GIVE_UP_MS)
  const runtime = await openRuntime(order)
  const { stateFolder } = order
  const notes = stateFolder === undefined ? undefined : openNotes(stateFolder, runtime)
  const tools = { runtime, sessions: openStore(runtime), onEvent() {}, notes }
  for (let pauseMs = FIRST_PAUSE_MS; !giveUp.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      // Servers that stop gracefully may stop one after the other.
      const signal = AbortSignal.timeout(GIVE_UP_MS + (await sumStopTimes(order.id, tools)))
      return await cleanOnce(order, { ...tools, signal })
    } catch {
      await sleep(pauseMs)
    }
  }
}

/** The package may be uninstalled later. Without it, the next call of testfleet ends servers without a container. */
void import('../../runtime/processes/open-processes.ts').catch(() => {})

/** Loads what `cleanUp` loads for the engine of an order. */
export async function prepareCleanUp({ endpoint }: KeeperOrder): Promise<void> {
  if (endpoint.kind === 'local') (await reopenEngine(endpoint, 'keeper')).close()
}

async function openRuntime({ endpoint }: KeeperOrder): Promise<Runtime> {
  const here = { supervisorFile: '', userId: process.getuid?.(), platform: process.platform }
  return withExternal(withProcesses(openContainers(await reopenEngine(endpoint, 'keeper')), here))
}

function openNotes(stateFolder: string, runtime: Runtime): SessionNotes {
  return {
    stateFolder,
    async noteEnd(record, servers) {
      const [{ noteEnd }, { currentHost }] = await Promise.all([
        import('../../why/note-end.ts'),
        import('../../current-host.ts'),
      ])
      // The keeper has nothing of its starter's environment.
      const host = { ...currentHost('/'), environment: { TESTFLEET_STATE_DIR: stateFolder } }
      await noteEnd(record, servers, { runtime, host })
    },
  }
}

async function cleanOnce(order: KeeperOrder, tools: SessionTools): Promise<void> {
  const record = await findRecord(order, tools)
  if (record === undefined) {
    // Another call has taken the session down. Objects may have appeared after that.
    await removeResources({ [label.session]: order.id }, tools, { recheckMs: 0 })
    await removeResources({ [label.change]: order.change }, tools, { recheckMs: 0 })
    return tools.runtime.removeUnfinishedImages(order.change, { signal: tools.signal })
  }
  const { lifetime, change } = record
  const isMine = lifetime.kind !== 'lasting' && lifetime.keeper?.process.pid === process.pid
  const leftMs = isMine && lifetime.kind === 'until' ? lifetime.untilMs - Date.now() : 0
  if (isMine && leftMs <= 0) await endSession(record, tools, { recheckMs: RECHECK_MS })
  else if (change?.id === order.change) await undoChange(record, tools, { recheckMs: RECHECK_MS })
  await tools.sessions.tidy(order.id, { signal: tools.signal })
  if (leftMs <= 0) return
  // Its starter died after it had stored the time limit, and before it could send it.
  await sleep(leftMs)
  await cleanUp(order)
}

/** Looks twice: its writer may have died just after sending the record to the engine. */
async function findRecord({ id }: KeeperOrder, { sessions, signal }: SessionTools): Promise<StoredRecord | undefined> {
  const record = await sessions.find(id, { signal })
  if (record !== undefined) return record
  await sleep(RECHECK_MS)
  return sessions.find(id, { signal })
}
