import { rm } from 'node:fs/promises'
import { wordError } from '../formats/word-error.ts'
import type { Keeper, Machine } from '../model/session.ts'
import { type CleanOptions, DEAD_RECHECK_MS, endSession } from './end.ts'
import { isUnchanged } from './is-unchanged.ts'
import { isKeeperSocket } from './keeper/client.ts'
import { markGone } from './own-container.ts'
import { judgeChange, judgeLifetime, readMachine } from './processes.ts'
import type { Records, StoredRecord } from './store.ts'
import type { ChangeTools } from './tools.ts'
import { nothingUndone, type Undone, type UndoOptions } from './undo-change.ts'
import { undoDead } from './undo-dead.ts'

/**
 * Cleans up after calls that died together with their keepers. Leaves alone what is held, and what may be held by
 * processes that cannot be seen from here. A failure to clean up is only a warning. Resolves with the remaining
 * sessions.
 */
export async function sweep(tools: ChangeTools, awaitReady: UndoOptions['awaitReady']): Promise<Records> {
  const records = await tools.sessions.list({ signal: tools.signal })
  const here = readMachine()
  const marked = await markGone(records.sessions, tools.runtime, { signal: tools.signal })
  const dead = marked.filter((record) => isDead(record, here))
  if (dead.length === 0) return records
  await Promise.all(dead.map((record) => sweepOne(record, here, tools, awaitReady)))
  return tools.sessions.list({ signal: tools.signal })
}

function isDead({ lifetime, change }: StoredRecord, here: Machine): boolean {
  const isOver = judgeLifetime(lifetime, here, Date.now()) === 'dead'
  return isOver || (change !== undefined && judgeChange(change, here) === 'dead')
}

async function sweepOne(
  record: StoredRecord,
  here: Machine,
  tools: ChangeTools,
  awaitReady: UndoOptions['awaitReady'],
): Promise<void> {
  try {
    const { servers, back, networks, volumes } = await endDead(record, here, tools, {
      recheckMs: DEAD_RECHECK_MS,
      ...(awaitReady && { awaitReady }),
    })
    if (servers.length + back.length + networks + volumes === 0) return
    tools.onEvent({ kind: 'swept', session: record.name, servers, back })
  } catch (error) {
    const message = `the session ${record.name} could not be cleaned up: ${wordError(error)}`
    tools.onEvent({ kind: 'warned', message })
  }
}

/**
 * Ends a session, or undoes a change, whose processes were found dead, unless the record has changed since or another
 * call undoes the change. Also removes its keeper's socket on this machine.
 */
export async function endDead(
  record: StoredRecord,
  here: Machine,
  tools: ChangeTools,
  options: CleanOptions & UndoOptions,
): Promise<Undone> {
  const quiet = { ...tools, onEvent() {} }
  const isOver = judgeLifetime(record.lifetime, here, Date.now()) === 'dead'
  if (isOver && !(await isUnchanged(record, tools))) return nothingUndone
  const undone = isOver
    ? { ...(await endSession(record, quiet, options)), back: [] }
    : await undoDead(record, quiet, options)
  if (undone === undefined) return nothingUndone
  await removeSocket(record.change?.keeper)
  if (isOver && record.lifetime.kind !== 'lasting') await removeSocket(record.lifetime.keeper)
  return undone
}

/** Removes the socket only from a folder of this user's keepers, whatever the record says. */
async function removeSocket(keeper: Keeper | undefined): Promise<void> {
  const socket = keeper?.socket ?? ''
  if (!isKeeperSocket(socket) || socket.startsWith('\\\\.\\pipe\\')) return
  await rm(socket, { force: true }).catch(() => {})
}
