import type { ObservedSession } from './containers/observe.ts'
import { observeSession } from './containers/observe.ts'
import { down } from './down.ts'
import { TestfleetError } from './model/failures.ts'
import type { SessionReport } from './model/running.ts'
import { noSession, reportSession } from './session/report.ts'
import type { Tools } from './session/tools.ts'
import { type Joined, joinKeeper } from './sessions/keeper/join-keeper.ts'
import { isKeeperSocket } from './sessions/keeper/socket-path.ts'

/** A session that somebody started and that this process is in, too. */
export interface Membership {
  readonly report: SessionReport
  /** The path of the socket where others can join; empty for a session that nobody has to hold. */
  readonly socket: string
  /** Leaves it, and takes it down if this was the last to hold it. Resolves with how many others do. */
  end(tools: Tools): Promise<number>
}

/**
 * Joins a session that runs: from then on it stays until this process has left, too. One of `up` stays anyway.
 * Fails with NO_SESSION when there is none, or when it is just ending.
 */
export async function joinSession(session: string, tools: Tools): Promise<Membership> {
  const { observed, keeper } = await holdSession(session, tools)
  try {
    const report = await reportSession(observed, tools.engine, new Set(), tools.signal)
    const socket = socketOf(observed)
    return { report, socket, end: (later) => leaveSession(session, keeper, later) }
  } catch (error) {
    keeper?.close()
    throw error
  }
}

/** A hold of another process: it does not have to be there itself. */
export interface ProcessHold {
  /** How many hold the session besides that process; undefined for a session that nobody has to hold. */
  readonly held: number | undefined
}

/** Holds a session for a process until that one ends, or is released. Fails with NO_SESSION, or USAGE for no such process. */
export async function holdForProcess(session: string, pid: number, tools: Tools): Promise<ProcessHold> {
  return askForProcess(session, { do: 'hold', pid }, tools)
}

/** Ends what `holdForProcess` has begun. The session goes if nobody else holds it. */
export async function releaseProcess(session: string, pid: number, tools: Tools): Promise<ProcessHold> {
  return askForProcess(session, { do: 'drop', pid }, tools)
}

async function askForProcess(
  session: string,
  request: { readonly do: 'hold' | 'drop'; readonly pid: number },
  tools: Tools,
): Promise<ProcessHold> {
  const { keeper } = await holdSession(session, tools)
  if (keeper === undefined) return { held: undefined }
  try {
    const answer = await keeper.ask(request)
    if (answer === undefined) throw isEnding(session)
    if (answer.error !== undefined) throw new TestfleetError('USAGE', answer.error)
    return { held: request.do === 'hold' ? answer.held - 1 : answer.held }
  } finally {
    keeper.close()
  }
}

interface Hold {
  readonly observed: ObservedSession
  readonly keeper: Joined | undefined
}

/** Held before it is looked at: what is seen then stays. */
async function holdSession(session: string, tools: Tools): Promise<Hold> {
  const observed = await observeSession(tools.engine, session, tools)
  if (observed.servers.size === 0) throw noSession(session)
  const lease = observed.leases.find(({ kind }) => kind === 'hold')
  if (lease === undefined) return { observed, keeper: undefined }
  const socket = lease.holder?.socket ?? ''
  const keeper = isKeeperSocket(socket) ? await joinKeeper(socket) : undefined
  if (keeper === undefined) throw isEnding(session)
  return { observed, keeper }
}

function socketOf(observed: ObservedSession): string {
  return observed.leases.find(({ kind }) => kind === 'hold')?.holder?.socket ?? ''
}

async function leaveSession(session: string, keeper: Joined | undefined, tools: Tools): Promise<number> {
  if (keeper === undefined) return 0
  try {
    const held = (await keeper.ask({ do: 'leave' }))?.held ?? 0
    if (held === 0) {
      await down(session, tools)
      keeper.tell({ do: 'end' })
    }
    return held
  } finally {
    keeper.close()
  }
}

function isEnding(session: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `the session ${session} cannot be joined: its keeper does not answer`, {
    hint: 'It is just ending, or is held on another machine.',
  })
}
