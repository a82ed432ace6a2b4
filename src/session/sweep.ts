import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { listLeases } from '../containers/lease-labels.ts'
import { wordError } from '../formats/word-error.ts'
import type { Lease } from '../model/lease.ts'
import { judgeLease } from '../sessions/keeper/judge-lease.ts'
import { readMachine } from '../sessions/keeper/processes.ts'
import { isKeeperSocket, keeperSocket } from '../sessions/keeper/socket-path.ts'
import { type EndedLease, endLease } from './end-lease.ts'
import type { Tools } from './tools.ts'

/**
 * Cleans up what calls have left behind that died, and whose keepers died too. Never what anybody holds, and never what
 * may be held where that cannot be seen from here. What cannot be cleaned up is told of, and is no failure of the call.
 */
export async function sweep(tools: Tools): Promise<void> {
  const dead = await findDead(tools)
  await Promise.all(dead.map((lease) => sweepLease(lease, tools)))
}

/** Longer than a busy engine takes to make what was last asked for. Only calls that find the dead wait so long. */
const SETTLE_MS = 2000

async function findDead({ engine, signal }: Tools): Promise<readonly Lease[]> {
  const leases = await listLeases(engine, undefined, { signal })
  if (leases.length === 0) return []
  const here = readMachine()
  return leases.filter((lease) => judgeLease(lease, here, Date.now()) === 'dead')
}

async function sweepLease(lease: Lease, tools: Tools): Promise<void> {
  try {
    const ended = await buryLease(lease, tools)
    const { servers, back, networks, volumes } = ended
    if (servers.length + back.length + networks + volumes === 0) return
    tools.onEvent({ kind: 'swept', session: lease.session, servers, back })
  } catch (error) {
    const message = `what the session ${lease.session} has left behind: ${wordError(error)}`
    tools.onEvent({ kind: 'warned', message })
  }
}

/** Ends a lease whose holders are dead, and removes what its keeper has left on this machine. */
async function buryLease(lease: Lease, tools: Tools): Promise<EndedLease> {
  const ended = await endLease(lease, { isKept: false, settleMs: SETTLE_MS }, tools)
  // Only what a keeper of ours would have made, whatever the label says.
  const socket = lease.holder?.socket ?? ''
  if (isKeeperSocket(socket) && dirname(socket) === dirname(keeperSocket(lease.id, tools.host))) {
    await rm(socket, { force: true }).catch(() => {})
  }
  return ended
}
