import { readLease } from './containers/lease-labels.ts'
import { down } from './down.ts'
import { type Labels, label } from './model/labels.ts'
import type { Lease } from './model/lease.ts'
import { endLease } from './session/end-lease.ts'
import { cleanupFailed, settleAll } from './session/settle.ts'
import type { Tools } from './session/tools.ts'
import { judgeLease } from './sessions/keeper/judge-lease.ts'
import { readMachine } from './sessions/keeper/processes.ts'

export interface PruneRequest {
  /** Also sessions that nobody has to hold, such as those of `up`. */
  readonly all: boolean
  /** Only what was last changed longer ago than that. */
  readonly olderThanMs: number | undefined
  /** Says what would be done, and does nothing. */
  readonly isDryRun: boolean
}

export interface PrunedSession {
  readonly session: string
  readonly because: string
  readonly servers: number
  readonly networks: number
  readonly volumes: number
}

export interface Pruned {
  readonly removed: readonly PrunedSession[]
  readonly kept: readonly PrunedSession[]
}

/**
 * Removes what dead sessions have left behind on the engine, and no session that anybody holds. Fails with
 * CLEANUP_FAILED, once all has been tried, if something could not be removed.
 */
export async function prune(request: PruneRequest, tools: Tools): Promise<Pruned> {
  const here = readMachine()
  const verdicts = (await findSessions(tools)).map((found) => ({ found, verdict: judge(found, request, here) }))
  const doomed = verdicts.filter(({ verdict }) => verdict.isDoomed)
  if (!request.isDryRun) {
    const errors = await settleAll(doomed.map(({ found, verdict }) => remove(found, verdict.dead, tools)))
    tools.signal.throwIfAborted()
    if (errors.length > 0) throw cleanupFailed(errors, 'Call `testfleet prune` again once the engine answers.')
  }
  const describe = ({ found, verdict }: (typeof verdicts)[number]): PrunedSession => ({
    session: found.session,
    because: verdict.because,
    servers: found.servers,
    networks: found.networks,
    volumes: found.volumes - found.leases.length,
  })
  return {
    removed: doomed.map(describe),
    kept: verdicts.filter(({ verdict }) => !verdict.isDoomed).map(describe),
  }
}

interface FoundSession {
  readonly session: string
  servers: number
  networks: number
  volumes: number
  /** When the newest of it was made, by the engine's clock. */
  changedAtMs: number
  readonly leases: Lease[]
}

async function findSessions({ engine, signal }: Tools): Promise<readonly FoundSession[]> {
  const any = { [label.session]: '' }
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers(any, { signal }),
    engine.listNetworks(any, { signal }),
    engine.listVolumes(any, { signal }),
  ])
  const sessions = new Map<string, FoundSession>()
  const count = (what: 'servers' | 'networks' | 'volumes', one: { labels: Labels; createdAtMs: number }): void => {
    const session = one.labels[label.session] ?? ''
    const found = sessions.get(session) ?? { session, servers: 0, networks: 0, volumes: 0, changedAtMs: 0, leases: [] }
    found[what]++
    found.changedAtMs = Math.max(found.changedAtMs, one.createdAtMs)
    sessions.set(session, found)
  }
  for (const container of containers) count('servers', container)
  for (const network of networks) count('networks', network)
  for (const volume of volumes) {
    count('volumes', volume)
    for (const lease of readLease(volume)) sessions.get(lease.session)?.leases.push(lease)
  }
  return [...sessions.values()].sort((one, other) => (one.session < other.session ? -1 : 1))
}

interface Verdict {
  readonly isDoomed: boolean
  readonly because: string
  /** Leases that are to be ended; with none, all of the session goes. */
  readonly dead: readonly Lease[]
}

function judge(found: FoundSession, request: PruneRequest, here: ReturnType<typeof readMachine>): Verdict {
  const nowMs = Date.now()
  const states = found.leases.map((lease) => ({ lease, state: judgeLease(lease, here, nowMs) }))
  const dead = states.filter(({ state }) => state === 'dead').map(({ lease }) => lease)
  const keep = (because: string): Verdict => ({ isDoomed: false, because, dead: [] })
  if (request.olderThanMs !== undefined && nowMs - found.changedAtMs < request.olderThanMs) return keep('it is younger')
  if (dead.length > 0) return { isDoomed: true, because: describeDeath(dead), dead }
  if (states.some(({ lease, state }) => state === 'alive' && lease.kind !== 'time')) return keep('somebody holds it')
  if (states.some(({ state }) => state === 'unknown')) {
    // Only its age says that nobody there needs it any more.
    if (!request.all || request.olderThanMs === undefined) return keep('it is held on another machine')
    return { isDoomed: true, because: 'it is old, and held on another machine', dead: [] }
  }
  if (request.all) return { isDoomed: true, because: 'nobody holds it', dead: [] }
  return keep(states.length > 0 ? 'its time is not up' : 'it stays until it is taken down')
}

function describeDeath(dead: readonly Lease[]): string {
  const [lease] = dead
  if (lease?.kind === 'time') return 'its time is up'
  const process = lease?.holder?.processes[0]
  return process === undefined ? 'whoever held it is gone' : `process ${process.pid}, which held it, is gone`
}

async function remove(found: FoundSession, dead: readonly Lease[], tools: Tools): Promise<void> {
  if (dead.length === 0) await down(found.session, tools)
  for (const lease of dead) await endLease(lease, { isKept: false }, tools)
}
