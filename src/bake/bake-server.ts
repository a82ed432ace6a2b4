import { setTimeout as sleep } from 'node:timers/promises'
import { stopGrace } from '../model/container.ts'
import type { FleetEvent } from '../model/events.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { type Fleet, type Server, usesCertificates } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import type { OperationOf, PreparedBake } from '../model/plan.ts'
import { reopenTools, sweepSessions } from '../open-tools.ts'
import { explainDeath } from '../ready/explain-failure.ts'
import type { SavedImage } from '../runtime/runtime.ts'
import type { OwnChange } from '../sessions/change.ts'
import { cleanupSignal } from '../sessions/cleanup-signal.ts'
import { collectErrors, withLeftovers } from '../sessions/end.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { firstHold } from '../up/membership.ts'
import type { UpRequest } from '../up/plan-up.ts'
import { forgetAuthority } from './forget-authority.ts'
import { bakeFleet } from './throw-away.ts'

/** Brings up a session. Given by the caller, as `up` itself bakes. */
export type BringUp = (
  request: UpRequest,
  records: readonly StoredRecord[],
  tools: Tools,
) => Promise<{ readonly record: StoredRecord; readonly change: OwnChange | undefined }>

export interface BakeContext {
  readonly fleet: Fleet
  readonly bringUp: BringUp
}

const POLL_MS = 250

/**
 * Bakes an image: starts the server in a separate session, runs its commands, stops it, and saves its files. The
 * session has throw-away secrets and certificates, and is removed in any case. Its name is made of the image's digest,
 * so that of two calls which bake the same image one waits for the other. Fails as `up` does.
 */
export async function bakeServer(
  operation: OperationOf<'bakeImage'>,
  context: BakeContext,
  tools: Tools,
  signal: AbortSignal,
): Promise<void> {
  const { reference, servers } = operation
  const about = { reference, servers }
  const startedAt = performance.now()
  tools.onEvent({ kind: 'baking', ...about, status: undefined })
  const inner = openInner(operation, tools, signal)
  const session = `bake-${operation.bake.digest}`
  for (let isWaiting = false; ; isWaiting = true) {
    const { sessions } = await sweepSessions(inner)
    const other = sessions.find(({ name }) => name === session)
    if (other === undefined) {
      // Another call has finished it meanwhile.
      if (isWaiting && (await tools.engine.inspectImage(reference, { signal })) !== undefined) break
      if (await bakeOnce(operation, session, context, sessions, inner)) break
    } else if (!isWaiting) tools.onEvent({ kind: 'baking', ...about, status: 'waiting for another call that bakes it' })
    await sleep(POLL_MS, undefined, { signal })
  }
  tools.onEvent({ kind: 'baked', ...about, elapsedMs: performance.now() - startedAt })
}

/** The same engine, with events that are progress of this image, and with a record of its own for a failure. */
function openInner({ reference, servers }: OperationOf<'bakeImage'>, tools: Tools, signal: AbortSignal): Tools {
  const forward = (event: FleetEvent): void => {
    const status = wordStatus(event)
    if (status !== undefined) tools.onEvent({ kind: 'baking', reference, servers, status })
    else if (isOutside(event)) tools.onEvent(event)
  }
  return reopenTools(tools, forward, signal)
}

function isOutside({ kind }: FleetEvent): boolean {
  return ['warned', 'bundled', 'swept', 'pulling', 'pulled', 'building', 'buildOutput', 'built'].includes(kind)
}

function wordStatus(event: FleetEvent): string | undefined {
  switch (event.kind) {
    case 'starting':
      return `start ${event.server}`
    case 'ready':
      return `${event.server} is ready`
    case 'stopping':
      return `stop ${event.server}`
    case 'stopped':
      return `save the files of ${event.server}`
    case 'hook':
      return `run ${event.command}`
    case 'hookOutput':
      return `| ${event.line}`
    default:
      return undefined
  }
}

/** Returns false when another call has begun to bake the image at the same time. */
async function bakeOnce(
  { bake, reference }: OperationOf<'bakeImage'>,
  session: string,
  { fleet, bringUp }: BakeContext,
  records: readonly StoredRecord[],
  tools: Tools,
): Promise<boolean> {
  const own = bakeFleet(fleet, bake.server)
  const server = own.servers.get(bake.server)
  if (server === undefined) throw new Error(`the fleet has no server ${bake.server}`)
  const request: UpRequest = {
    fleet: own,
    servers: [],
    session: { kind: 'new', name: session },
    bind: 'free',
    keepOnFailure: false,
    isThrowAway: true,
  }
  let up: Awaited<ReturnType<BringUp>>
  try {
    up = await bringUp(request, records, tools)
  } catch (error) {
    const isTaken = isFailure(error, 'NAME_TAKEN') && (await isThere(session, tools))
    if (isTaken) return false
    throw isFailure(error) ? explain(error, server, fleet) : error
  }
  const { record, change } = up
  if (change === undefined) throw new Error('a new session has nothing to start')
  const end = firstHold(change, tools)
  const labels = describeLabels(bake, fleet, tools.host.owner)
  const [failure] = await collectErrors([save(server, own, record, { reference, labels }, tools)])
  const [cleanup] = await collectErrors([
    cleanupSignal(record.id, tools).then((signal) => end({ ...tools, onEvent() {}, signal })),
  ])
  if (failure !== undefined) throw cleanup === undefined ? failure : withLeftovers(failure, cleanup)
  if (cleanup !== undefined) throw cleanup
  return true
}

async function isThere(session: string, { sessions, signal }: Tools): Promise<boolean> {
  return (await sessions.list({ signal })).sessions.some(({ name }) => name === session)
}

/** Stops the server in its own time, so that it has nothing to recover at its next start, and saves its files. */
async function save(
  server: Server,
  fleet: Fleet,
  record: StoredRecord,
  image: SavedImage,
  tools: Tools,
): Promise<void> {
  const { runtime, signal, onEvent } = tools
  const { name, stopGraceMs = stopGrace.defaultMs } = server
  const found = (await runtime.listServers({ [label.session]: record.id, [label.server]: name }, { signal }))[0]
  if (found?.state !== 'running') throw await explainEnd(name, record, tools)
  onEvent({ kind: 'stopping', server: name })
  await runtime.stopServer(found, { graceMs: stopGraceMs, signal })
  onEvent({ kind: 'stopped', server: name })
  if (usesCertificates(fleet) && !server.readOnly) await forgetAuthority(found.id, fleet, tools)
  await runtime.saveServer(found.id, image, { signal })
}

async function explainEnd(server: string, record: StoredRecord, { runtime, signal }: Tools): Promise<unknown> {
  const containerId = record.servers[server]?.container ?? ''
  const { exitCode = 0 } = await runtime.inspectServer(containerId, { signal })
  return explainDeath({ server, containerId, runtime }, exitCode, undefined, signal, { wasReady: true })
}

/** A baked image belongs to its fleet, and to no session. */
function describeLabels({ digest, parts }: PreparedBake, { name }: Fleet, owner: string): Record<string, string> {
  return { [label.fleet]: name, [label.digest]: digest, [label.owner]: owner, [label.bake]: JSON.stringify(parts) }
}

/** The same failure, which names the key that starts the server in this way. */
function explain(error: TestfleetError, { name }: Server, { source }: Fleet): TestfleetError {
  const { server, hint, output, at = source.locate(['servers', name, 'bake']) } = error
  const message = `the image of ${name} could not be baked: ${error.message}`
  const explained = new TestfleetError(error.code, message, { server, hint, output, at, cause: error })
  const { bundle, archive, bundleProblem, summary, leftovers } = error
  return Object.assign(explained, { bundle, archive, bundleProblem, summary, leftovers })
}
