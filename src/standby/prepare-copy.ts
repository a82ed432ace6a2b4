import { loadFleet } from '../config/load-fleet.ts'
import type { Fleet } from '../model/fleet.ts'
import type { SessionReport } from '../model/running.ts'
import type { SessionRecord } from '../model/session.ts'
import { readVariableSources } from '../report/environment.ts'
import { readNames } from '../report/names.ts'
import { observeServers } from '../report/report.ts'
import type { OwnChange } from '../sessions/change.ts'
import { endSession } from '../sessions/end.ts'
import { lenderSocketOf } from '../sessions/lender-socket.ts'
import type { Tools } from '../tools.ts'
import { up } from '../up/up.ts'
import type { Offer, StandbySource } from './protocol.ts'
import { refuseUnfit } from './refuse-fleet.ts'

/** A fleet that runs and that nobody has used, in a session that this process holds. */
export interface Copy {
  readonly id: string
  readonly fleet: Fleet
  readonly record: SessionRecord
  readonly report: SessionReport
  readonly offer: Omit<Offer, 'variables'>
  /** What the variables of the caller's environment were that it depends on. */
  readonly variables: ReadonlyMap<string, string | undefined>
  /** Containers of the servers that run. */
  readonly running: readonly string[]
  readonly memoryBytes: number | undefined
  /** Leaves the session to its other holders. */
  leave(): void
  /** Removes the session. The keeper removes what could not be removed here. */
  remove(tools: Tools): Promise<void>
}

/** Loads the fleet of an order as a caller with this environment would. */
export function loadStandbyFleet(source: StandbySource, host: Tools['host']): Promise<Fleet> {
  return loadFleet(source.kind === 'file' ? { kind: 'file', named: source.path } : { ...source, kind: 'object' }, host)
}

/**
 * Starts a copy, and waits until it is ready. Fails as `up` does; nothing is left then. `read` are the names of the
 * variables that were read of the environment of `tools`, also while the engine was opened.
 */
export async function startCopy(source: StandbySource, read: ReadonlySet<string>, tools: Tools): Promise<Copy> {
  const fleet = await loadStandbyFleet(source, tools.host)
  refuseUnfit(fleet)
  const session = { kind: 'new', name: undefined, isStandby: true } as const
  const { sessions: records } = await tools.sessions.list(tools)
  const request = { fleet, servers: [], session, bind: 'free', keepOnFailure: false } as const
  const { record, report, change } = await up(request, records, tools)
  if (change === undefined) throw new Error('a new session has nothing to start')
  try {
    return await describeCopy({ fleet, record, report, change, names: read }, tools)
  } catch (error) {
    await removeCopy(record, change, tools)
    throw error
  }
}

interface Started {
  readonly fleet: Fleet
  readonly record: OwnChange['record']
  readonly report: SessionReport
  readonly change: OwnChange
  readonly names: ReadonlySet<string>
}

async function describeCopy({ fleet, record, report, change, names }: Started, tools: Tools): Promise<Copy> {
  const observed = await observeServers(record, tools.runtime, tools)
  const running = [...observed.values()].flatMap(({ container: { id, state } }) => (state === 'running' ? [id] : []))
  const [sources, servers, memory] = await Promise.all([
    readVariableSources(observed, tools),
    readNames(record, tools),
    Promise.all(running.map((id) => tools.runtime.readMemory(id, { signal: tools.signal }))),
  ])
  const exports = sources.exports.map(({ secrets, ...one }) => ({ ...one, secrets: [...secrets] }))
  const keeper = record.lifetime.kind === 'held' ? (record.lifetime.keeper?.socket ?? '') : ''
  return {
    id: record.id,
    fleet,
    record,
    report,
    offer: {
      ...{ copy: record.id, session: record.name, keeper, lender: lenderSocketOf(record, tools.host) },
      ...{ report, servers, sources: { ...sources, exports } },
    },
    variables: new Map([...names].map((name) => [name, tools.host.environment[name]])),
    running,
    memoryBytes: memory.reduce<number | undefined>(
      (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
      0,
    ),
    leave: () => change.handOver(),
    remove: (later) => removeCopy(record, change, later),
  }
}

async function removeCopy(record: OwnChange['record'], change: OwnChange, tools: Tools): Promise<void> {
  try {
    const now = await tools.sessions.find(record.id, { signal: tools.signal })
    if (now !== undefined) await endSession(now, { ...tools, onEvent() {} }, { recheckMs: 0 })
    change.end()
  } catch {
    change.handOver()
  }
}
