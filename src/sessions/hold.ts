import { TestfleetError } from '../model/failures.ts'
import type { Holder, Machine } from '../model/session.ts'
import { endSession } from './end.ts'
import { joinKeeper, type KeeperClient, ownHolder } from './keeper/client.ts'
import { identifyProcess, judgeHolders, readMachine } from './processes.ts'
import type { StoredRecord } from './store.ts'
import type { SessionTools } from './tools.ts'

/** This process's part in a session that lives as long as anyone holds it. */
export interface Hold {
  readonly record: StoredRecord
  /** Where others join; empty for a session that nobody has to hold. */
  readonly socket: string
  /** Ends the hold, and the session with the last one. Resolves with how many others hold it. */
  leave(tools: SessionTools): Promise<number>
}

/**
 * Holds a session for this process. A session of `up` stays anyway: nothing is done for it. Fails with NO_SESSION when
 * the session is just ending.
 */
export async function enterSession(record: StoredRecord, processId: number, tools: SessionTools): Promise<Hold> {
  if (record.lifetime.kind !== 'held') return { record, socket: '', leave: async () => 0 }
  const keeper = await reachKeeper(record)
  const holder = ownHolder(processId)
  const entered = await addHolder(record, holder, tools).catch((error: unknown) => {
    keeper?.close()
    throw error
  })
  const ask = async (): Promise<number | undefined> => (await keeper?.ask({ do: 'leave' }))?.held
  return {
    record: entered,
    socket: record.lifetime.keeper?.socket ?? '',
    async leave(later) {
      try {
        return await leaveSession(record.id, holder, ask, later)
      } finally {
        keeper?.close()
      }
    },
  }
}

/**
 * Leaves a session, and removes it if nobody else holds it. Its keeper knows who does. If the keeper is gone, the record
 * does: the session then stays as long as one of those in it lives, and whoever is last removes it.
 */
export async function leaveSession(
  id: string,
  holder: Holder,
  askKeeper: () => Promise<number | undefined>,
  tools: SessionTools,
): Promise<number> {
  const held = await askKeeper()
  if (held !== 0) {
    const record = await tools.sessions.update(id, (now) => without(now, holder), { signal: tools.signal })
    const others = held ?? countOthers(record)
    if (others > 0) return others
  }
  const record = await tools.sessions.find(id, { signal: tools.signal })
  if (record !== undefined) await endSession(record, tools, { settleMs: 0 })
  return 0
}

/** Holds a session for another process, until that ends or is released. Fails with NO_SESSION, or USAGE for no process. */
export async function holdForProcess(
  record: StoredRecord,
  pid: number,
  tools: SessionTools,
): Promise<number | undefined> {
  return withKeeper(record, async (keeper) => {
    const answer = await keeper?.ask({ do: 'hold', pid })
    const process = identifyProcess(pid)
    if (answer?.error !== undefined || process === undefined) {
      throw new TestfleetError('USAGE', answer?.error ?? `there is no process ${pid}`)
    }
    const entered = await addHolder(record, { machine: readMachine(), process }, tools)
    return answer === undefined ? countOthers(entered) - 1 : answer.held - 1
  })
}

/** Ends what `holdForProcess` has begun. Resolves with how many others hold the session, which ends if nobody does. */
export async function releaseProcess(
  record: StoredRecord,
  pid: number,
  tools: SessionTools,
): Promise<number | undefined> {
  return withKeeper(record, async (keeper) => {
    const answer = await keeper?.ask({ do: 'drop', pid })
    const process = identifyProcess(pid) ?? { pid, startedAt: '' }
    const left = await tools.sessions.update(record.id, (now) => without(now, { machine: readMachine(), process }))
    return answer?.held ?? countOthers(left)
  })
}

/** Undefined for a session that nobody has to hold. */
async function withKeeper<Result>(
  record: StoredRecord,
  work: (keeper: KeeperClient | undefined) => Promise<Result>,
): Promise<Result | undefined> {
  if (record.lifetime.kind !== 'held') return undefined
  const keeper = await reachKeeper(record)
  try {
    return await work(keeper)
  } finally {
    keeper?.close()
  }
}

/** Undefined when the keeper is dead and others still hold the session. Fails with NO_SESSION when the session is ending. */
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
    (now) =>
      now.lifetime.kind === 'held'
        ? { ...now, lifetime: { ...now.lifetime, holders: [...now.lifetime.holders, holder] } }
        : undefined,
    { signal },
  )
  if (entered === undefined) throw isEnding(record.name)
  return entered
}

function without(record: StoredRecord, holder: Holder): StoredRecord {
  if (record.lifetime.kind !== 'held') return record
  const index = record.lifetime.holders.findIndex(
    ({ machine, process }) => process.pid === holder.process.pid && isSameSystem(machine, holder.machine),
  )
  return {
    ...record,
    lifetime: { ...record.lifetime, holders: record.lifetime.holders.toSpliced(index, index < 0 ? 0 : 1) },
  }
}

/** Containers number their processes on their own, and so does each start of a machine. */
function isSameSystem(one: Machine, other: Machine): boolean {
  return one.id === other.id && one.boot === other.boot && one.pidSpace === other.pidSpace
}

/** Those that are known to live, and those that cannot be seen from here. */
function countOthers(record: StoredRecord | undefined): number {
  if (record?.lifetime.kind !== 'held') return 0
  const here = readMachine()
  return record.lifetime.holders.filter((holder) => judgeHolders([holder], here) !== 'dead').length
}

function isEnding(session: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `the session ${session} cannot be joined: its keeper does not answer`, {
    hint: 'It is just ending, or is held on another machine.',
  })
}
