import { type Labels, label } from './model/labels.ts'
import type { Machine } from './model/session.ts'
import { say } from './model/surface.ts'
import { cleanupFailed, collectErrors, endSession, removeResources, removeSavedImages } from './sessions/end.ts'
import { findHolders } from './sessions/holders.ts'
import { markGone } from './sessions/own-container.ts'
import { judgeChange, judgeLifetime, type Life, readMachine } from './sessions/processes.ts'
import type { Records, StoredRecord } from './sessions/store.ts'
import { endDead } from './sessions/sweep.ts'
import type { Tools } from './tools.ts'

export interface PruneRequest {
  /** Also sessions that nobody has to hold, such as those of `up`. */
  readonly all: boolean
  /** Only what was last changed longer ago than that. */
  readonly olderThanMs: number | undefined
  /** Reports what would be removed, and removes nothing. */
  readonly isDryRun: boolean
  /** Also images of servers, of all fleets: how many of each stay. Undefined leaves all images alone. */
  readonly keptImages: number | undefined
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
  /** References of images that are gone. */
  readonly images: readonly string[]
}

/**
 * Removes what dead sessions have left on the engine, and no session that anybody holds; if asked for, old images too. Fails with CLEANUP_FAILED, once
 * all has been tried, if something could not be removed.
 */
export async function prune(request: PruneRequest, tools: Tools): Promise<Pruned> {
  const here = readMachine()
  const found = await findSessions(tools)
  const verdicts = found.map((one) => ({ one, verdict: judge(one, request, here) }))
  const doomed = verdicts.filter(({ verdict }) => verdict.isDoomed)
  if (!request.isDryRun) {
    const errors = await collectErrors(doomed.map(({ one }) => remove(one, here, tools)))
    tools.signal.throwIfAborted()
    if (errors.length > 0) throw cleanupFailed(errors, `Call ${say('prune')} again once the engine answers.`)
  }
  const describe = ({ one, verdict }: (typeof verdicts)[number]): PrunedSession => {
    const { name: session, servers, networks, volumes } = one
    return { session, because: verdict.because, servers, networks, volumes }
  }
  return {
    removed: doomed.map(describe),
    kept: verdicts.filter(({ verdict }) => !verdict.isDoomed).map(describe),
    images: await pruneImages(request, tools),
  }
}

/** Once dead sessions are gone, and use no image any more. */
async function pruneImages(request: PruneRequest, { engine, onEvent, signal }: Tools): Promise<readonly string[]> {
  const { keptImages: keep, olderThanMs, isDryRun } = request
  if (keep === undefined) return []
  const { findOldImages, removeOldImages } = await import('./images/old-images.ts')
  const old = await findOldImages({ fleet: undefined, keep, olderThanMs }, engine, { signal })
  return isDryRun ? old : removeOldImages(old, engine, onEvent, { signal })
}

interface FoundSession {
  readonly id: string
  readonly name: string
  /** Undefined for one that another version wrote, and for what has outlived its record. */
  readonly record: StoredRecord | undefined
  readonly hasRecord: boolean
  servers: number
  networks: number
  volumes: number
  /** When the newest of it was created, by the engine's clock. */
  changedAtMs: number
}

async function findSessions({ runtime, sessions, signal }: Tools): Promise<readonly FoundSession[]> {
  // Records last: what is seen here had its record before, and a session that ends meanwhile has lost both.
  const { servers, networks, volumes } = await runtime.observe({ [label.session]: '' }, { signal })
  const records = await sessions.list({ signal })
  const marked = await markGone(records.sessions, runtime, { signal })
  const found = describeRecords({ ...records, sessions: marked })
  const count = (what: 'servers' | 'networks' | 'volumes', one: { labels: Labels; createdAtMs: number }): void => {
    const id = one.labels[label.session] ?? ''
    const session = found.get(id) ?? { ...empty, id, name: id, record: undefined, hasRecord: false }
    session[what] += 1
    session.changedAtMs = Math.max(session.changedAtMs, one.createdAtMs)
    found.set(id, session)
  }
  for (const server of servers) count('servers', server)
  for (const network of networks) count('networks', network)
  for (const volume of volumes) if (volume.labels[label.volume] !== undefined) count('volumes', volume)
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}

const empty = { servers: 0, networks: 0, volumes: 0, changedAtMs: 0 }

function describeRecords({ sessions, unreadable }: Records): Map<string, FoundSession> {
  const known = sessions.map((record): [string, FoundSession] => {
    const { id, name, createdAtMs: changedAtMs } = record
    return [id, { ...empty, id, name, record, hasRecord: true, changedAtMs }]
  })
  const unknown = unreadable.map(({ id, createdAtMs: changedAtMs }): [string, FoundSession] => {
    return [id, { ...empty, id, name: id, record: undefined, hasRecord: true, changedAtMs }]
  })
  return new Map([...known, ...unknown])
}

interface Verdict {
  readonly isDoomed: boolean
  readonly because: string
}

function judge({ record, hasRecord, changedAtMs }: FoundSession, request: PruneRequest, here: Machine): Verdict {
  const nowMs = Date.now()
  const isOld = request.olderThanMs !== undefined
  const keep = (because: string): Verdict => ({ isDoomed: false, because })
  const end = (because: string): Verdict => ({ isDoomed: true, because })
  if (request.olderThanMs !== undefined && nowMs - changedAtMs < request.olderThanMs) return keep('it is younger')
  if (!hasRecord) return end('its session is gone')
  const [life, changeLife] = judgeLives(record, here, nowMs)
  if (life === 'dead' || changeLife === 'dead') return end(describeDeath(record, life))
  if (life === 'unknown' || changeLife === 'unknown') {
    // Only its age says that nobody there needs it any more.
    return request.all && isOld ? end('it is old, and held on another machine') : keep('it is held on another machine')
  }
  const isHeld =
    record !== undefined && (record.lifetime.kind === 'held' || findHolders(record.lifetime, here).length > 0)
  if (isHeld || changeLife === 'alive') return keep(describeHold(record))
  return request.all ? end('nobody holds it') : keep(describeLifetime(record))
}

function describeHold(record: StoredRecord | undefined): string {
  return record?.isStandby === true ? 'it is held ready as a standby copy' : 'somebody holds it'
}

/** Whether the session lives, and the change that is made to it, if any. */
function judgeLives(record: StoredRecord | undefined, here: Machine, nowMs: number): [Life, Life | undefined] {
  if (record === undefined) return ['unknown', undefined]
  const { lifetime, change } = record
  return [judgeLifetime(lifetime, here, nowMs), change && judgeChange(change, here)]
}

function describeLifetime(record: StoredRecord | undefined): string {
  return record?.lifetime.kind === 'until' ? 'its time is not up' : 'it stays until it is taken down'
}

function describeDeath(record: StoredRecord | undefined, life: string): string {
  if (life === 'dead' && record?.lifetime.kind === 'until') return 'its time is up'
  const held = record?.lifetime.kind === 'held' ? record.lifetime.holders[0] : undefined
  const holder = held ?? record?.change?.by
  return holder === undefined
    ? 'the process that held it is gone'
    : `process ${holder.process.pid}, which held it, is gone`
}

async function remove({ id, name, record, hasRecord }: FoundSession, here: Machine, call: Tools): Promise<void> {
  const tools: Tools = { ...call, onEvent: (event) => call.onEvent({ session: name, ...event }) }
  if (record === undefined) {
    await removeResources({ [label.session]: id }, tools, { recheckMs: 0 })
    await removeSavedImages(id, tools)
    if (hasRecord) await tools.sessions.remove(id)
    else await tools.runtime.forgetSession?.(id)
    return
  }
  if (judgeLives(record, here, Date.now()).includes('dead')) await endDead(record, here, tools, { recheckMs: 0 })
  else await endSession(record, tools, { recheckMs: 0 })
}
