import type { Fleet } from '../model/fleet.ts'
import type { SessionReport } from '../model/running.ts'
import type { SessionRecord } from '../model/session.ts'
import { readVariableSources } from '../report/environment.ts'
import { readNames } from '../report/names.ts'
import { type ObservedServer, observeServers } from '../report/report.ts'
import { openSecretReader, type SecretReader } from '../servers/secrets.ts'
import type { OwnChange } from '../sessions/change.ts'
import { endSession } from '../sessions/end.ts'
import { lenderSocketOf } from '../sessions/lender-socket.ts'
import type { Tools } from '../tools.ts'
import { up } from '../up/up.ts'
import { loadStandbyFleet } from './load-fleet.ts'
import { PlanBasis } from './plan-basis.ts'
import type { Offer, StandbySource } from './protocol.ts'
import { refuseUnfit } from './refuse-fleet.ts'

/** A fleet that runs and that nobody has used, in a session that this process holds. */
export interface Copy {
  readonly id: string
  readonly fleet: Fleet
  readonly record: SessionRecord
  readonly report: SessionReport
  readonly offer: Omit<Offer, 'variables'>
  /** Servers that run, as they were when the copy was ready. */
  readonly running: readonly ObservedServer[]
  /** Secrets of its servers. */
  readonly readSecrets: SecretReader
  /** Tells without a plan that nothing has changed. */
  readonly basis: PlanBasis
  readonly memoryBytes: number | undefined
  /** Leaves the session to its other holders. */
  leave(): void
  /** Removes the session. The keeper removes what could not be removed here. */
  remove(tools: Tools): Promise<void>
}

/** Starts a copy, and waits until it is ready. Fails as `up` does; nothing is left then. */
export async function startCopy(source: StandbySource, tools: Tools): Promise<Copy> {
  const fleet = await loadStandbyFleet(source, tools.host)
  refuseUnfit(fleet)
  const session = { kind: 'new', name: undefined, isStandby: true } as const
  const { sessions: records } = await tools.sessions.list(tools)
  const request = { fleet, servers: [], session, bind: 'free', keepOnFailure: false } as const
  const { record, report, change } = await up(request, records, tools)
  if (change === undefined) throw new Error('a new session has nothing to start')
  try {
    return await describeCopy({ fleet, record, report, change }, tools)
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
}

async function describeCopy({ fleet, record, report, change }: Started, tools: Tools): Promise<Copy> {
  const observed = await observeServers(record, tools.runtime, tools)
  const running = [...observed.values()].filter(({ container }) => container.state === 'running')
  const readSecrets = openSecretReader(tools.runtime, tools.host, {})
  const [sources, servers, memory] = await Promise.all([
    readVariableSources(observed, tools),
    readNames(record, tools),
    Promise.all(running.map(({ container }) => tools.runtime.readMemory(container.id, { signal: tools.signal }))),
    // Read now: a caller need not wait for it.
    Promise.all(
      running.map(
        ({ name, container, spec }) =>
          needsSecrets(spec) && readSecrets({ server: name, container: container.id, spec }),
      ),
    ),
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
    running,
    readSecrets,
    basis: new PlanBasis(),
    memoryBytes: memory.reduce<number | undefined>(
      (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
      0,
    ),
    leave: () => change.handOver(),
    remove: (later) => removeCopy(record, change, later),
  }
}

/** Whether a ready check may log in. */
function needsSecrets({ secrets, ready }: ObservedServer['spec']): boolean {
  return secrets.length > 0 && ready.length > 0
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
