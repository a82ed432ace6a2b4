import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { connectLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Lender } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { ownHolder } from '../sessions/keeper/client.ts'
import { canListen, lenderSocketOf, newLenderSocket } from '../sessions/lender-socket.ts'
import { markGone } from '../sessions/own-container.ts'
import { judgeHolders, type Life, readMachine } from '../sessions/processes.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

type PlaceTools = Pick<Tools, 'host' | 'runtime' | 'sessions' | 'signal'>

/** How long a lender that runs may not be reachable: it is just starting or ending. */
const PATIENCE_MS = 5000
const LOOK_MS = 50
/** How often a path is replaced that other callers replace with one that cannot be used here. */
const MOST_REPLACED = 10

/** A lender that serves, or the path at which one is to be started. */
export type Place = { readonly client: LenderClient } | { readonly socket: string }

/**
 * Finds the lender of a session. A session has at most one. Callers may have other folders for their sockets, so the
 * path is that of the session's record; one that cannot be used any more is replaced there. Fails as `seekLender` does.
 */
export async function findLender(known: StoredRecord, tools: PlaceTools, patienceMs = PATIENCE_MS): Promise<Place> {
  let record = known
  for (let replaced = 0; ; replaced += 1) {
    const found = await seekLender(record, tools, patienceMs)
    if ('client' in found) return found
    record = found.record
    const socket = lenderSocketOf(record, tools.host)
    if (isUsable(record, socket, tools.host) || replaced === MOST_REPLACED) return { socket }
    await replaceSocket(record, tools)
  }
}

/**
 * Connects to the lender of a session, or resolves with the session's newest record when none runs. Fails with
 * LENDER_LOST when a lender runs that cannot be reached from here, and with NO_SESSION.
 */
export async function seekLender(
  known: StoredRecord,
  tools: PlaceTools,
  patienceMs = PATIENCE_MS,
): Promise<{ readonly client: LenderClient } | { readonly record: StoredRecord }> {
  const giveUpAt = performance.now() + patienceMs
  const client = await connectLender(lenderSocketOf(known, tools.host), tools.signal)
  if (client !== undefined) return { client }
  for (;;) {
    const record = await readAgain(known, tools)
    const next = await connectLender(lenderSocketOf(record, tools.host), tools.signal)
    if (next !== undefined) return { client: next }
    const life = await judge(record, tools)
    if (life === 'dead') return { record }
    if (life === 'unknown' || performance.now() > giveUpAt) throw unreachable(record, life)
    await sleep(LOOK_MS, undefined, { signal: tools.signal })
  }
}

/** Fails with NO_SESSION when the session was removed meanwhile. */
async function readAgain({ id, name }: StoredRecord, { sessions, signal }: PlaceTools): Promise<StoredRecord> {
  signal.throwIfAborted()
  const record = await sessions.find(id, { signal })
  if (record === undefined)
    throw new TestfleetError('NO_SESSION', `the session ${name} has ended`, { hint: say('startAgain') })
  return record
}

/** This caller's own path is never replaced: a lender that cannot listen there says why. */
function isUsable({ id, lender }: StoredRecord, socket: string, host: Tools['host']): boolean {
  return lender?.socket === socket && (canListen(socket) || socket === newLenderSocket(id, host))
}

async function replaceSocket({ id, lender }: StoredRecord, { host, sessions, signal }: PlaceTools): Promise<void> {
  const socket = newLenderSocket(id, host)
  await sessions.update(id, (now) => (isSame(now.lender, lender) ? { ...now, lender: { socket } } : undefined), {
    signal,
  })
}

/** Whether no other caller has changed it meanwhile: a lender that was found dead then still is the session's. */
function isSame(now: Lender | undefined, known: Lender | undefined): boolean {
  return isDeepStrictEqual(now, known)
}

/**
 * Makes this process the lender of a session. Resolves with the record; undefined when the session is gone. Fails with
 * LENDER_LOST when it has another one.
 */
export async function claimLending(id: string, socket: string, tools: PlaceTools): Promise<StoredRecord | undefined> {
  const { host, sessions, signal } = tools
  const { machine, process } = ownHolder(host.processId)
  for (;;) {
    const known = await sessions.find(id, { signal })
    if (known === undefined) return undefined
    const life = await judge(known, tools)
    if (life !== 'dead') throw unreachable(known, life)
    const lender = { socket, by: { machine, process } }
    const isFree = (now: StoredRecord): boolean => isSame(now.lender, known.lender)
    const claimed = await sessions.update(id, (now) => (isFree(now) ? { ...now, lender } : undefined), { signal })
    if (claimed !== undefined) return claimed
  }
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
async function judge(record: StoredRecord, { runtime, signal }: PlaceTools): Promise<Life> {
  const [marked = record] = await markGone([record], runtime, { signal })
  return marked.lender?.by === undefined ? 'dead' : judgeHolders([marked.lender.by], readMachine())
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
