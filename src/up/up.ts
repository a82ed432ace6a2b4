import { wordError } from '../formats/word-error.ts'
import type { Fleet } from '../model/fleet.ts'
import { onAbort } from '../model/on-abort.ts'
import type { SessionReport } from '../model/running.ts'
import { carryOut, describeOperation, reportOperations } from '../plan/carry-out.ts'
import { selectServers } from '../plan/reconcile.ts'
import { observeServers, reportSession } from '../report/report.ts'
import { digestSecrets } from '../servers/secrets.ts'
import { beginChange, createSession, isFree, prepareChange } from '../sessions/begin-change.ts'
import type { OwnChange, Prepared } from '../sessions/change.ts'
import { collectErrors } from '../sessions/end.ts'
import { makeId } from '../sessions/make-id.ts'
import { findOwnContainer, refuseForeignLoopback } from '../sessions/own-container.ts'
import { findTarget, isThere, type Target } from '../sessions/resolve.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { forgetNote } from '../why/note-file.ts'
import { failUp } from './fail-up.ts'
import { createHandlers, type Work } from './operations.ts'
import { findAffected, isNothingToDo, type PlannedUp, planUp, type UpRequest } from './plan-up.ts'
import { prepareStart, type Starting } from './prepare-start.ts'
import { openWatch, refuseEnded } from './watch-servers.ts'

const CANCELLED = 'cancelled: ending what was begun, and removing it'

/** A session that is up, and this call's change to it. */
export interface Up {
  readonly record: StoredRecord
  readonly report: SessionReport
  /** Change of this call; undefined when nothing had to be changed. */
  readonly change: OwnChange | undefined
}

/**
 * Brings up a session: plans, builds, starts, waits until every server is ready, and reports. Servers that are already
 * as desired are kept. On failure, the engine is restored to its state before the call, and the failure's `bundle` has
 * the logs. `records` are the latest known records of all sessions.
 */
export async function up(request: UpRequest, records: readonly StoredRecord[], tools: Tools): Promise<Up> {
  for (let known = records; ; known = (await tools.sessions.list(tools)).sessions) {
    const target = findTarget(request.session, request.fleet, known)
    tools.onEvent({ kind: 'sessionChosen', session: nameOf(target) })
    // Another call is changing this session: the record that was read will be outdated.
    if (target.kind === 'existing' && isInUse(target.record) && !(await isFree(target.record, tools))) continue
    const prepared =
      target.kind === 'new' ? prepareChange({ id: makeId(), name: target.session.name }, tools) : undefined
    const planned = await plan(request, target, tools).catch(async (error: unknown) => {
      // Nothing was created, so the keeper has nothing to clean up.
      prepared?.keeper.end()
      await notePlan(error, request, target, prepared, tools)
      throw error
    })
    if (target.kind === 'existing' && isNothingToDo(planned.plan)) {
      return carryOutUp(request, planned, undefined, target.record, tools)
    }
    const change = await begin(planned, prepared, tools)
    if (change !== undefined) return carryOutUp(request, planned, change, change.record, tools)
    if (request.shared !== undefined) throw isThere(nameOf(target))
  }
}

/** A fleet that cannot be started, such as one whose image cannot be pulled, is a run that has failed. */
async function notePlan(
  error: unknown,
  { fleet }: UpRequest,
  target: Target,
  prepared: Prepared | undefined,
  tools: Tools,
): Promise<void> {
  const { noteFailure } = await import('../why/note-failure.ts')
  const session = target.kind === 'existing' ? target.record : { ...target.session, id: prepared?.id ?? makeId() }
  await noteFailure(error, { ...session, fleet: fleet.name, servers: {}, change: undefined }, tools)
}

interface Ready extends PlannedUp, Starting {}

function nameOf(target: Target): string {
  return target.kind === 'existing' ? target.record.name : target.session.name
}

async function plan(request: UpRequest, target: Target, tools: Tools): Promise<Ready> {
  tools.onEvent({ kind: 'phaseBegan', phase: 'plan' })
  const { location } = tools.runtime
  const own = location.remoteHost === undefined ? await findOwnContainer(tools.runtime, tools) : undefined
  if (own !== undefined) refuseForeignLoopback(own, selectServers(request.fleet, request.servers))
  const planned = await planUp(request, target, tools, { mayPull: true })
  // Runs before anything is created, so that a missing secret leaves the engine unchanged.
  return { ...planned, ...(await prepareStart(planned, request.fleet.source, tools)) }
}

function isInUse({ lifetime, change }: StoredRecord): boolean {
  return lifetime.kind === 'held' || change !== undefined
}

function begin(planned: Ready, prepared: Prepared | undefined, tools: Tools): Promise<OwnChange | undefined> {
  tools.onEvent({ kind: 'phaseBegan', phase: 'begin' })
  const { target } = planned
  const { starting, ...others } = findAffected(planned)
  const given = Object.entries(starting).map(([name, spec]) => {
    return [name, { ...spec, secretDigest: digestSecrets(planned.secrets.get(name) ?? new Map()) }] as const
  })
  const affected = { ...others, starting: Object.fromEntries(given) }
  if (target.kind === 'existing') return beginChange(target.record, affected, tools)
  if (prepared === undefined) throw new Error('a new session has no keeper')
  return createSession(target.session, affected.starting, prepared, tools)
}

async function carryOutUp(
  request: UpRequest,
  planned: Ready,
  change: OwnChange | undefined,
  record: StoredRecord,
  tools: Tools,
): Promise<Up> {
  const { plan, desired, settings, secrets, certificates } = planned
  const { fleet, ttlMs } = request
  tools.onEvent({ kind: 'planned', plan })
  tools.onEvent({ kind: 'phaseBegan', phase: 'carryOut' })
  let report: SessionReport | undefined
  const watch = openWatch(tools)
  const work: Work = {
    fleet,
    planned,
    settings: { ...settings, sessionId: record.id, change: change?.id ?? '' },
    change,
    untilMs: ttlMs === undefined ? undefined : Date.now() + ttlMs,
    created: new Map(),
    startedAt: new Map(),
    finished: new Set(),
    given: new Map(),
    secrets,
    certificates,
    watch,
    bringUp: up,
    tidying: [],
    async report(servers, signal) {
      report = await reportSaved({ ...record, servers }, planned, fleet, { ...tools, signal })
      watch.end()
    },
  }
  const images = new Map([...desired.servers].map(([name, { image }]) => [name, image]))
  const onCancel = (): void => tools.onEvent({ kind: 'noted', message: CANCELLED })
  const stopListening = onAbort(change === undefined ? undefined : tools.cancelSignal, onCancel)
  tools.recorder.begin({ fleet, plan, images, secrets, certificates })
  try {
    const carried = carryOut(plan, createHandlers(work, tools), {
      signal: AbortSignal.any([tools.signal, watch.signal]),
      onFailure: 'stop',
      ...reportOperations(tools.onEvent),
      onSkipped(operation, because) {
        // Nothing has failed where the call was cancelled.
        if (operation.kind !== 'startServer' || tools.cancelSignal.aborted) return
        // Its own failure is reported as such.
        if ('server' in because && because.server === operation.server) return
        // When a server ends, the watch cancels the others: name that server as the reason.
        const failed = watch.ended ?? describeOperation(because)
        tools.onEvent({ kind: 'skipped', server: operation.server, because: failed })
      },
    })
    const failure = await findFailure(carried)
    if (failure !== undefined && change?.isSaved !== true) throw failure.error
    tools.onEvent({ kind: 'phaseBegan', phase: 'finish' })
    const [unfinished] =
      failure === undefined ? await collectErrors(change === undefined ? [] : [change.finish()]) : [failure.error]
    if (unfinished !== undefined) leaveToKeeper(unfinished, change, tools)
    // A failure of an earlier call says nothing about the session any more.
    if (planned.target.kind === 'existing') await forgetNote(record, tools.host)
    return {
      record: change?.record ?? record,
      report: report ?? (await reportSaved(record, planned, fleet, tools)),
      change,
    }
  } catch (error) {
    throw await failUp(error, request, work, record, tools)
  } finally {
    stopListening()
    watch.end()
    await Promise.all(work.tidying)
  }
}

/** The first failure, or the reason for which the rest was not done. */
async function findFailure(carried: Promise<readonly { readonly error: unknown }[]>) {
  const [failure] = await carried.catch((error: unknown) => [{ error }])
  return failure
}

/** Reports a session as it is when its change is saved. Fails with SERVER_DIED when a server has not stayed ready. */
async function reportSaved(
  { name, id, servers }: StoredRecord,
  { desired }: PlannedUp,
  fleet: Fleet,
  tools: Tools,
): Promise<SessionReport> {
  const session = { id, name, fleet: fleet.name, domain: fleet.domain, servers, change: undefined }
  const observed = await observeServers(session, tools.runtime, tools)
  await refuseEnded(
    [...observed.values()].filter(({ name }) => desired.servers.has(name)),
    tools,
  )
  return reportSession(session, observed, new Set(desired.servers.keys()), tools)
}

/** The change has succeeded, so a failure to remove replaced servers is only a warning. */
function leaveToKeeper(error: unknown, change: OwnChange | undefined, { onEvent }: Tools): void {
  onEvent({
    kind: 'warned',
    message: `some replaced servers could not be removed yet; the keeper tries again: ${wordError(error)}`,
  })
  change?.handOver()
}
