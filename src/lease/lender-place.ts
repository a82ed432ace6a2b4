import { setTimeout as sleep } from 'node:timers/promises'
import { connectLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Lender } from '../model/session.ts'
import { ownHolder } from '../sessions/keeper/client.ts'
import { canListen, lenderSocketOf, newLenderSocket } from '../sessions/lender-socket.ts'
import { judgeHolders, type Life, readMachine } from '../sessions/processes.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

type PlaceTools = Pick<Tools, 'host' | 'sessions' | 'signal'>

/** How long a lender that runs may not be reachable: it is just starting or ending. */
const PATIENCE_MS = 5000
const LOOK_MS = 50

/** A lender that serves, or the path at which one is to be started. */
export type Place = { readonly client: LenderClient } | { readonly socket: string }

/**
 * Finds the lender of a session. A session has at most one. Callers may have other folders for their sockets, so the
 * path is that of the session's record; one that cannot be used any more is replaced there. Fails with LENDER_LOST when
 * a lender runs that cannot be reached from here.
 */
export async function findLender(known: StoredRecord, tools: PlaceTools, patienceMs = PATIENCE_MS): Promise<Place> {
  const { host, sessions, signal } = tools
  const giveUpAt = performance.now() + patienceMs
  const client = await connectLender(lenderSocketOf(known, host))
  if (client !== undefined) return { client }
  for (;;) {
    const record = (await sessions.find(known.id, { signal })) ?? known
    const socket = lenderSocketOf(record, host)
    const next = await connectLender(socket)
    if (next !== undefined) return { client: next }
    const life = judge(record.lender)
    if (life === 'unknown' || (life === 'alive' && performance.now() > giveUpAt)) throw unreachable(record, life)
    if (life === 'alive') await sleep(LOOK_MS, undefined, { signal })
    else if (canListen(socket) && record.lender?.socket === socket) return { socket }
    else await replaceSocket(record, tools)
  }
}

/** Does nothing when another caller has replaced it meanwhile. */
async function replaceSocket({ id, lender }: StoredRecord, { host, sessions, signal }: PlaceTools): Promise<void> {
  const socket = newLenderSocket(id, host)
  const isSame = (now: StoredRecord): boolean => now.lender?.socket === lender?.socket && judge(now.lender) === 'dead'
  await sessions.update(id, (now) => (isSame(now) ? { ...now, lender: { socket } } : undefined), { signal })
}

/**
 * Makes this process the lender of a session. Resolves with the record; undefined when the session is gone. Fails with
 * LENDER_LOST when it has another one.
 */
export async function claimLending(id: string, socket: string, tools: PlaceTools): Promise<StoredRecord | undefined> {
  const { machine, process } = ownHolder(tools.host.processId)
  let other: StoredRecord | undefined
  const claimed = await tools.sessions.update(
    id,
    (now) => {
      other = judge(now.lender) === 'dead' ? undefined : now
      return other === undefined ? { ...now, lender: { socket, by: { machine, process } } } : undefined
    },
    { signal: tools.signal },
  )
  if (other !== undefined) throw unreachable(other, judge(other.lender))
  return claimed
}

/** Leaves the path in the record for the next lender. */
export async function leaveLending(id: string, { sessions, host }: PlaceTools, signal: AbortSignal): Promise<void> {
  await sessions.update(
    id,
    ({ lender, ...now }) =>
      lender?.by?.process.pid === host.processId ? { ...now, lender: { socket: lender.socket } } : undefined,
    { signal },
  )
}

/** Whether another process lends the session's servers. */
function judge(lender: Lender | undefined): Life {
  return lender?.by === undefined ? 'dead' : judgeHolders([lender.by], readMachine())
}

function unreachable({ name, lender }: StoredRecord, life: Life): TestfleetError {
  const { machine, process } = lender?.by ?? {}
  const who = `process ${process?.pid} on ${machine?.name}`
  if (life === 'unknown')
    return new TestfleetError(
      'LENDER_LOST',
      `the servers of session ${name} are lent by ${who}, out of reach from here`,
      {
        hint: 'Lease where that process runs, or start another session here.',
      },
    )
  return new TestfleetError(
    'LENDER_LOST',
    `the lender of session ${name}, ${who}, cannot be reached at ${lender?.socket}`,
    {
      hint: `End process ${process?.pid}, then call again: the next call starts a new lender.`,
    },
  )
}
