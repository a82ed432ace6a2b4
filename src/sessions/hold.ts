import { setTimeout as sleep } from 'node:timers/promises'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { Holder, Machine } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { endSession } from './end.ts'
import { findHolders } from './holders.ts'
import { joinKeeper, type KeeperClient, ownHolder } from './keeper/client.ts'
import { identifyProcess, judgeHolders, readMachine } from './processes.ts'
import type { StoredRecord } from './store.ts'
import { describeTakenDown, listenForTakedown, type TakenDown } from './taken-down.ts'
import type { SessionTools } from './tools.ts'

/**
 * Hold of this process on a session. A session of `run` lives as long as someone holds it; `down` respects holders of
 * any session.
 */
export interface Hold {
  readonly record: StoredRecord
  /** Path of the socket at which others join; empty for a session that needs no holder. */
  readonly socket: string
  /** Returns who has taken the session down in the meantime, when known. */
  readonly takenDown: () => TakenDown | undefined
  /** Releases the hold, and ends the session with its last hold. Resolves with the number of remaining holders. */
  leave(tools: SessionTools): Promise<number>
}

/** Holds a session for this process. Fails with NO_SESSION when the session is ending. */
export async function enterSession(record: StoredRecord, host: Host, tools: SessionTools): Promise<Hold> {
  const keeper = await reachKeeper(record)
  const listener = await listenForTakedown(host)
  const holder = { ...ownHolder(host.processId), socket: listener.socket }
  const close = (): void => {
    keeper?.close()
    listener.close()
  }
  const entered = await addHolder(record, holder, tools).catch((error: unknown) => {
    close()
    throw error
  })
  const ask = async (): Promise<number | undefined> => (await keeper?.ask({ do: 'leave' }))?.held
  return {
    record: entered,
    socket: record.lifetime.kind === 'held' ? (record.lifetime.keeper?.socket ?? '') : '',
    takenDown: listener.takenDown,
    async leave(later) {
      try {
        if (record.lifetime.kind !== 'held') return await dropHolder(record, holder, later)
        return await leaveSession(record.id, holder, ask, later)
      } finally {
        close()
      }
    },
  }
}

/** Releases a hold on a session that needs no holder. Resolves with 0, because nobody has to be waited for. */
async function dropHolder({ id }: StoredRecord, holder: Holder, { sessions, signal }: SessionTools): Promise<number> {
  await sessions.update(id, (now) => without(now, holder), { signal })
  return 0
}

/** Programs that a command has started can end a moment after it. */
const ENDING_MS = 500
const ENDING_POLL_MS = 50

/** Returns the number of holders once it is 0; else, after a short time, what it is then. */
async function countAtEnd(count: () => Promise<number | undefined>): Promise<number | undefined> {
  const untilMs = performance.now() + ENDING_MS
  for (;;) {
    const held = await count()
    if (held === undefined || held === 0 || performance.now() >= untilMs) return held
    await sleep(ENDING_POLL_MS)
  }
}

/**
 * Leaves a session, and removes it if nobody else holds it. The keeper knows the holders; without it, the record does:
 * the last of its holders removes the session.
 */
export async function leaveSession(
  id: string,
  holder: Holder,
  askKeeper: () => Promise<number | undefined>,
  tools: SessionTools,
): Promise<number> {
  const held = await countAtEnd(askKeeper)
  if (held !== 0) {
    const record = await tools.sessions.update(id, (now) => without(now, holder), { signal: tools.signal })
    const others = held ?? (await countAtEnd(async () => countOthers(record))) ?? 0
    if (others > 0) return others
  }
  const record = await tools.sessions.find(id, { signal: tools.signal })
  if (record !== undefined) await endSession(record, tools, { recheckMs: 0 })
  return 0
}

/**
 * Holds a session for another process until that process ends or is released. Fails with NO_SESSION, or with USAGE when
 * there is no such process. A process that the record has as a holder already is not added again.
 */
export async function holdForProcess(
  record: StoredRecord,
  pid: number,
  tools: SessionTools,
  isInRecord = false,
): Promise<number> {
  return withKeeper(record, async (keeper) => {
    const answer = await keeper?.ask({ do: 'hold', pid })
    const process = identifyProcess(pid)
    if (answer?.error !== undefined || process === undefined) {
      throw new TestfleetError('USAGE', answer?.error ?? `there is no process ${pid}`)
    }
    const entered = isInRecord ? record : await addHolder(record, { machine: readMachine(), process }, tools)
    return answer === undefined ? countOthers(entered) - 1 : answer.held - 1
  })
}

/**
 * Releases a hold of `holdForProcess`. Resolves with the number of remaining holders; the session ends when there are
 * none.
 */
export async function releaseProcess(record: StoredRecord, pid: number, tools: SessionTools): Promise<number> {
  return withKeeper(record, async (keeper) => {
    const answer = await keeper?.ask({ do: 'drop', pid })
    const process = identifyProcess(pid) ?? { pid, startedAt: '' }
    const left = await tools.sessions.update(record.id, (now) => without(now, { machine: readMachine(), process }))
    return answer?.held ?? countOthers(left)
  })
}

async function withKeeper<Result>(
  record: StoredRecord,
  work: (keeper: KeeperClient | undefined) => Promise<Result>,
): Promise<Result> {
  const keeper = await reachKeeper(record)
  try {
    return await work(keeper)
  } finally {
    keeper?.close()
  }
}

/**
 * Connects to the session's keeper. Undefined for a session that needs no holder, or when the keeper is dead while
 * others still hold the session. Fails with NO_SESSION when the session is ending.
 */
async function reachKeeper({ name, lifetime }: StoredRecord): Promise<KeeperClient | undefined> {
  if (lifetime.kind !== 'held') return undefined
  const client = await joinKeeper(lifetime.keeper?.socket ?? '')
  if (client !== undefined) return client
  const here = readMachine()
  const isKeeperDead = lifetime.keeper === undefined || judgeHolders([lifetime.keeper], here) === 'dead'
  if (isKeeperDead && judgeHolders(lifetime.holders, here) === 'alive') return undefined
  throw isEnding(name)
}

async function addHolder(
  record: StoredRecord,
  holder: Holder,
  { sessions, signal }: SessionTools,
): Promise<StoredRecord> {
  const entered = await sessions.update(
    record.id,
    (now) => {
      // Holders of a session of `run` are known to its keeper; without one, the dead ones are removed here.
      const holders = now.lifetime.kind === 'held' ? now.lifetime.holders : findHolders(now.lifetime)
      return { ...now, lifetime: { ...now.lifetime, holders: [...holders, holder] } }
    },
    { signal },
  )
  if (entered !== undefined) return entered
  throw record.lifetime.kind === 'held' ? isEnding(record.name) : wasTakenDown(record.name, undefined)
}

function without(record: StoredRecord, holder: Holder): StoredRecord {
  const { holders = [] } = record.lifetime
  const isOfProcess = ({ machine, process }: Holder): boolean =>
    process.pid === holder.process.pid && isSameSystem(machine, holder.machine)
  // A process whose threads hold the session is in the record several times.
  const exact = holders.findIndex((one) => isOfProcess(one) && one.socket === holder.socket)
  const index = exact < 0 ? holders.findIndex(isOfProcess) : exact
  return { ...record, lifetime: { ...record.lifetime, holders: holders.toSpliced(index, index < 0 ? 0 : 1) } }
}

/** Whether process ids mean the same on both: each container and each boot numbers its processes separately. */
function isSameSystem(one: Machine, other: Machine): boolean {
  return one.id === other.id && one.boot === other.boot && one.pidSpace === other.pidSpace
}

/** Counts the holders that are alive or cannot be seen from here. */
function countOthers(record: StoredRecord | undefined): number {
  return record === undefined ? 0 : findHolders(record.lifetime).length
}

export function wasTakenDown(session: string, news: TakenDown | undefined): TestfleetError {
  return new TestfleetError('NO_SESSION', describeTakenDown(session, news), {
    hint: say('startAgain'),
  })
}

function isEnding(session: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `the session ${session} cannot be joined: its keeper does not answer`, {
    hint: 'Try again in a moment, or join it on the machine that holds it.',
  })
}
