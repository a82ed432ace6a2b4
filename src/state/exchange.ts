import { wordError } from '../formats/word-error.ts'
import type { ContainerSummary } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import type { SessionReport } from '../model/running.ts'
import { say } from '../model/surface.ts'
import { unknownServer } from '../model/unknown-server.ts'
import { aboutServer, gone, refuseNoContainer } from '../report/refusals.ts'
import { awaitPutBack, type ObservedServer, observeServers, reportSession } from '../report/report.ts'
import { type Claim, claimSession } from '../sessions/claim.ts'
import { cleanupSignal } from '../sessions/cleanup-signal.ts'
import { collectErrors, withLeftovers } from '../sessions/end.ts'
import { wasTakenDown } from '../sessions/hold.ts'
import { requireUnheld } from '../sessions/require-unheld.ts'
import type { StoredRecord } from '../sessions/store.ts'
import { undoChange } from '../sessions/undo-change.ts'
import type { Tools } from '../tools.ts'
import { requireNotLent } from './require-not-lent.ts'
import { startReplacement } from './start-replacement.ts'

export type SessionName = Pick<StoredRecord, 'id' | 'name'>

export interface StateRequest {
  readonly server: string
  /** Allows the call while others hold the session. Without it, the call fails with SESSION_BUSY. */
  readonly isForced: boolean
}

/** A server whose container is exchanged, and the claim of the call that does it. */
export interface Exchange {
  readonly claim: Claim
  readonly old: ObservedServer
  /**
   * Starts a new container of this image in place of the old one, with the same settings, ports, names, secrets and
   * certificates, and waits until it is ready. Then `finish` completes the work inside it.
   */
  startFrom(image: string, finish?: (server: ObservedServer) => Promise<void>): Promise<void>
}

/**
 * Exchanges the container of a server, while the servers that depend on it keep running, and reports the server. When
 * anything fails, the old container is put back. `check` looks at the server before it is touched. Waits for other calls
 * that change the session, and they wait for this one.
 *
 * Fails with UNKNOWN_SERVER, SESSION_BUSY, NO_SESSION, or NOT_FOUND when the container was removed.
 */
export async function exchangeServer(
  session: SessionName,
  request: StateRequest,
  steps: {
    check?(old: ObservedServer): Promise<void>
    /** Does the work in the old container, if it can, and returns whether it has. */
    workInPlace?(old: ObservedServer): Promise<boolean>
    work(exchange: Exchange): Promise<void>
  },
  tools: Tools,
): Promise<SessionReport> {
  const { claim, old } = await claimServer(session, request, steps.check, tools)
  const { name, container } = old
  const release = (): Promise<void> => claim.release({ started: new Set([name]), stopped: new Set() })
  if (steps.workInPlace !== undefined) {
    const isDone = await steps.workInPlace(old).catch(async (error: unknown) => {
      await release()
      throw aboutServer(name, error)
    })
    if (isDone) {
      await release()
      return reportServer(session, name, tools)
    }
  }
  let isSaved = false
  const startFrom: Exchange['startFrom'] = async (image, finish) => {
    await claim.save({ [name]: await startReplacement({ claim, old, image, finish }, tools) })
    isSaved = true
  }
  try {
    await steps.work({ claim, old, startFrom })
  } catch (error) {
    throw isSaved ? error : await putBack(claim, name, aboutServer(name, error), tools)
  }
  await removeOld(container, tools)
  await release()
  return reportServer(session, name, tools)
}

/** Reports one server, which has just been waited for. */
async function reportServer(session: SessionName, name: string, tools: Tools): Promise<SessionReport> {
  const record = await findSession(session, name, tools)
  const server = (await observeServers(record, tools.runtime, tools)).get(name)
  if (server === undefined) throw gone(name)
  return reportSession(record, new Map([[name, server]]), new Set([name]), tools)
}

/** Looks at a server. Fails with UNKNOWN_SERVER, SESSION_BUSY, NO_SESSION or NOT_FOUND. */
export async function findServer(
  session: SessionName,
  { server, isForced }: StateRequest,
  tools: Tools,
): Promise<{ readonly record: StoredRecord; readonly server: ObservedServer }> {
  const record = await findSession(session, server, tools)
  if (!isForced) await requireUnheld(record, tools, `Wait until it has ended, or add ${say('force')}.`)
  const found = (await observeServers(record, tools.runtime, tools)).get(server)
  if (found === undefined) throw gone(server)
  return { record, server: found }
}

async function findSession(
  { id, name }: SessionName,
  server: string,
  { sessions, signal }: Tools,
): Promise<StoredRecord> {
  const record = await sessions.find(id, { signal })
  if (record === undefined) throw wasTakenDown(name, undefined)
  const known = Object.keys(record.servers)
  if (!known.includes(server)) throw unknownServer(server, known)
  refuseNoContainer(server, record.servers[server], 'reset, snapshot and restore')
  return record
}

/** Claims the session once the server is as it was looked at: another call may exchange it, too. */
async function claimServer(
  session: SessionName,
  request: StateRequest,
  check: ((old: ObservedServer) => Promise<void>) | undefined,
  tools: Tools,
): Promise<{ readonly claim: Claim; readonly old: ObservedServer }> {
  for (;;) {
    const { record, server: old } = await findServer(session, request, tools)
    const { name, container } = old
    if (!request.isForced) await requireNotLent(record, name, tools)
    if (record.change === undefined) await check?.(old)
    const ran = container.state === 'running' || container.state === 'paused'
    const claim = await claimSession(record, [name], tools, [{ server: name, container: container.id, ran }])
    if (record.change === undefined && claim.record.servers[name]?.container === container.id) return { claim, old }
    await claim.release({ started: new Set(), stopped: new Set() })
  }
}

/** Fails with USAGE for a server whose files are partly outside of its container: these would stay as they are. */
export async function requireOwnFiles({ name, container }: ObservedServer, { runtime, signal }: Tools): Promise<void> {
  const { mounts } = await runtime.inspectServer(container.id, { signal })
  const shared = mounts.filter(({ kind, writable }) => writable && kind !== 'ownVolume')
  if (shared.length === 0) return
  const paths = shared.map(({ to }) => to).join(', ')
  throw new TestfleetError('USAGE', `${name} keeps files outside of its container, in ${paths}`, {
    server: name,
    hint: 'Remove `writable: true` from the mount, or the mount: only files inside the container are saved and brought back.',
  })
}

/** Returns the error to throw. */
async function putBack(claim: Claim, server: string, error: unknown, tools: Tools): Promise<unknown> {
  tools.onEvent({ kind: 'rollingBack', servers: [server] })
  const later = { ...tools, signal: await cleanupSignal(claim.record.id, tools) }
  const undoing = undoChange(claim.record, later, { recheckMs: 0, awaitReady: awaitPutBack(later) })
  const [cleanup] = await collectErrors([undoing])
  return cleanup === undefined ? error : withLeftovers(error, cleanup)
}

/** The server is as wanted, so a failure is only a warning. The end of the session tries again. */
async function removeOld(container: ContainerSummary, { runtime, onEvent }: Tools): Promise<void> {
  const [error] = await collectErrors([runtime.removeServer({ ...container, state: 'exited' })])
  if (error === undefined) return
  onEvent({ kind: 'warned', message: `the earlier container could not be removed: ${wordError(error)}` })
}
