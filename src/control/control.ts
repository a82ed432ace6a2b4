import type { SessionReport } from '../model/running.ts'
import { say } from '../model/surface.ts'
import { unknownServer } from '../model/unknown-server.ts'
import { aboutServer, gone, notRunning, refuseExternal } from '../report/refusals.ts'
import { type ObservedServer, type ObservedServers, observeServers, reportSession } from '../report/report.ts'
import { type LifeState, readLife } from '../report/server-state.ts'
import { type Claim, claimSession } from '../sessions/claim.ts'
import { requireUnheld } from '../sessions/require-unheld.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { sortByDependency, workInOrder } from './order.ts'
import { openSteps } from './steps.ts'
import type { Control } from './verbs.ts'

export interface ControlRequest {
  readonly control: Control
  /** Names of servers; an empty list means all. */
  readonly servers: readonly string[]
  /** Allows the call while others hold the session. Without it, stopping or removing a server is SESSION_BUSY. */
  readonly isForced: boolean
}

/** A server of the call, with what its container says about it. */
interface Subject {
  readonly server: ObservedServer
  readonly life: LifeState
}

/**
 * Starts, stops, restarts, kills, pauses or resumes servers of a session, and reports them. Servers start after those
 * that they depend on, and stop before them. A server that is already as it is to be is left alone.
 *
 * Fails before anything is touched with UNKNOWN_SERVER, SESSION_BUSY, NO_SESSION, NOT_FOUND for a server whose container
 * was removed, and NOT_RUNNING for a named server that has to run and does not.
 */
export async function controlServers(
  record: StoredRecord,
  { control, servers, isForced }: ControlRequest,
  tools: Tools,
): Promise<SessionReport> {
  const known = Object.keys(record.servers)
  for (const name of servers) if (!known.includes(name)) throw unknownServer(name, known)
  for (const name of servers) refuseExternal(name, record.servers[name], control.verb)
  if (takesAway(control) && !isForced) {
    await requireUnheld(record, tools, `Wait until it has ended, or add ${say('force')}.`)
  }
  const ours = known.filter((name) => record.servers[name]?.external === undefined)
  const names = servers.length === 0 ? ours : [...new Set(servers)]
  tools.onEvent({ kind: 'phaseBegan', phase: 'begin' })
  const claim = await claimSession(record, starts(control) ? names : [], tools)
  const done = { started: new Set<string>(), stopped: new Set<string>() }
  let observed: ObservedServers
  try {
    observed = await work(claim, { control, names, areNamed: servers.length > 0 }, done, tools)
  } finally {
    tools.onEvent({ kind: 'phaseBegan', phase: 'finish' })
    await claim.release(done)
  }
  const ready = starts(control) && control.waits ? done.started : new Set<string>()
  return reportSession(claim.record, observed, ready, tools)
}

interface Task {
  readonly control: Control
  readonly names: readonly string[]
  readonly areNamed: boolean
}

type Doing = { readonly started: Set<string>; readonly stopped: Set<string> }

/** Resolves with the servers as they are afterwards. */
async function work({ record }: Claim, task: Task, done: Doing, tools: Tools): Promise<ObservedServers> {
  const { control, names } = task
  const dependenciesOf = (name: string): readonly string[] => record.servers[name]?.dependsOn ?? []
  const sorted = sortByDependency(names, dependenciesOf)
  const observed = await observeServers(record, tools.runtime, tools)
  const subjects = await chooseSubjects(observed, { ...task, names: sorted }, tools)
  const steps = openSteps(control, done, tools)
  tools.onEvent({ kind: 'phaseBegan', phase: 'carryOut' })
  const perform = async (name: string): Promise<void> => {
    const subject = subjects.get(name)
    if (subject === undefined) return
    tools.signal.throwIfAborted()
    await steps(subject.server, subject.life).catch((error: unknown) => {
      throw aboutServer(name, error)
    })
  }
  if (starts(control)) await workInOrder(sorted, dependenciesOf, perform)
  else {
    const dependentsOf = (name: string): string[] => sorted.filter((other) => dependenciesOf(other).includes(name))
    await workInOrder(sorted.toReversed(), dependentsOf, perform)
  }
  const after = await observeServers(record, tools.runtime, tools)
  return new Map(sorted.flatMap((name) => [after.get(name)].flatMap((one) => (one ? [[name, one] as const] : []))))
}

/** Returns the servers that the call has to change. */
async function chooseSubjects(
  observed: ObservedServers,
  { control, names, areNamed }: Task,
  { runtime, signal }: Tools,
): Promise<ReadonlyMap<string, Subject>> {
  const looked = await Promise.all(
    names.map(async (name) => {
      const server = observed.get(name)
      if (server === undefined) {
        if (areNamed || starts(control)) throw gone(name)
        return []
      }
      const life = await readLife(server.container, server.spec, runtime, { signal })
      return isConcerned(control, name, life, areNamed) ? [[name, { server, life }] as const] : []
    }),
  )
  return new Map(looked.flat())
}

/** Returns whether the call has to change a server. Fails with NOT_RUNNING if it cannot. */
function isConcerned({ verb }: Control, name: string, life: LifeState, isNamed: boolean): boolean {
  const { state } = life
  switch (verb) {
    case 'start':
      if (state === 'paused' || state === 'created') throw notRunning(name, life)
      // A server that has done its work runs again only when it is named.
      return state !== 'completed' || isNamed
    case 'restart':
      if (state === 'created') throw notRunning(name, life)
      return state !== 'completed' || isNamed
    case 'stop':
      return state === 'running' || state === 'paused'
    case 'kill':
    case 'pause':
    case 'resume': {
      const isAlive = state === 'running' || state === 'paused'
      if (!isAlive && isNamed) throw notRunning(name, life)
      return isAlive
    }
  }
}

/** Returns whether other processes that use the session would miss the server. */
function takesAway({ verb }: Control): boolean {
  return verb === 'stop' || verb === 'restart' || verb === 'kill' || verb === 'pause'
}

function starts(control: Control): control is Extract<Control, { waits: boolean }> {
  return 'waits' in control
}
