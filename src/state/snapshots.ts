import type { ImageSummary } from '../engine/image-types.ts'
import { stopGrace } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import { label } from '../model/labels.ts'
import type { SessionReport } from '../model/running.ts'
import { say } from '../model/surface.ts'
import { notRunning } from '../report/refusals.ts'
import type { ObservedServer } from '../report/report.ts'
import { readLife } from '../report/server-state.ts'
import { graceOf } from '../runtime/runtime.ts'
import { claimSession } from '../sessions/claim.ts'
import { collectErrors } from '../sessions/end.ts'
import type { Tools } from '../tools.ts'
import { exchangeServer, findServer, requireOwnFiles, type SessionName, type StateRequest } from './exchange.ts'

/** More names for states than a person keeps in mind; each holds space on the engine. */
const MOST_SNAPSHOTS = 20

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

export interface Snapshot {
  readonly name: string
  readonly server: string
  readonly createdAtMs: number
}

export interface SnapshotRequest extends StateRequest {
  readonly name: string
}

/**
 * Saves the state of a server under a name, in place of an earlier state of that name. The server is stopped, so that
 * it writes all it has to its files, and then starts again from what was saved: a state that a server cannot start from
 * is never kept.
 */
export async function takeSnapshot(
  session: SessionName,
  request: SnapshotRequest,
  tools: Tools,
): Promise<SessionReport> {
  const { server, name } = request
  const { runtime, signal, onEvent } = tools
  checkName(name)
  let taken: string | undefined
  const earlier = async (): Promise<readonly ImageSummary[]> => listImages(session, server, tools)
  const report = await exchangeServer(
    session,
    request,
    {
      async check(old) {
        const life = await readLife(old.container, old.spec, runtime, { signal })
        if (life.state !== 'running') throw notRunning(server, life)
        await requireOwnFiles(old, tools)
        requireRoom(server, name, await earlier())
      },
      async work({ claim, old: { container }, startFrom }) {
        onEvent({ kind: 'stopping', server })
        await runtime.stopServer(container, { signal, graceMs: graceOf(container) || stopGrace.defaultMs })
        onEvent({ kind: 'stopped', server })
        taken = `testfleet/snapshot-${session.id}-${server}:${name}-${claim.id}`
        const digest = container.labels[label.digest] ?? ''
        const labels = {
          [label.session]: session.id,
          [label.server]: server,
          [label.snapshot]: name,
          [label.digest]: digest,
        }
        await runtime.saveServer(container.id, { reference: taken, labels }, { signal })
        await startFrom(taken)
      },
    },
    tools,
  ).catch(async (error: unknown) => {
    if (taken !== undefined) await collectErrors([runtime.removeImage(taken)])
    throw error
  })
  const replaced = (await earlier()).filter(
    (image) => image.labels[label.snapshot] === name && !image.references.includes(taken ?? ''),
  )
  await collectErrors(replaced.map((image) => runtime.removeImage(referenceOf(image), { signal })))
  return report
}

/** Brings a server back to the state that a snapshot has. Fails with UNKNOWN_SNAPSHOT. */
export async function restoreSnapshot(
  session: SessionName,
  request: SnapshotRequest,
  tools: Tools,
): Promise<SessionReport> {
  let image = ''
  const check = async (old: ObservedServer): Promise<void> => {
    const found = await findImage(session, request, tools)
    requireSameServer(old, request.name, found)
    await requireOwnFiles(old, tools)
    image = referenceOf(found)
  }
  return exchangeServer(session, request, { check, work: ({ startFrom }) => startFrom(image) }, tools)
}

/** Lists the snapshots of a server, the oldest first. */
export async function listSnapshots(session: SessionName, server: string, tools: Tools): Promise<readonly Snapshot[]> {
  await findServer(session, { server, isForced: true }, tools)
  return (await listImages(session, server, tools)).map(({ labels, createdAtMs }) => {
    return { name: labels[label.snapshot] ?? '', server, createdAtMs }
  })
}

/** Removes a snapshot. Fails with UNKNOWN_SNAPSHOT, and with USAGE while the server runs from it. */
export async function removeSnapshot(
  session: SessionName,
  { server, name }: Pick<SnapshotRequest, 'server' | 'name'>,
  tools: Tools,
): Promise<void> {
  const { record } = await findServer(session, { server, isForced: true }, tools)
  // Another call may be about to start the server from it.
  const claim = await claimSession(record, [], tools)
  try {
    const image = await findImage(session, { server, name }, tools)
    await requireUnused(session, { server, name }, image, tools)
    await tools.runtime.removeImage(referenceOf(image), { signal: tools.signal })
  } finally {
    await claim.release({ started: new Set(), stopped: new Set() })
  }
}

function checkName(name: unknown): void {
  if (typeof name === 'string' && NAME.test(name)) return
  throw new TestfleetError('USAGE', `${JSON.stringify(name)} cannot be the name of a snapshot`, {
    hint: 'Use 1 to 64 letters, digits, `_`, `.` and `-`, beginning with a letter or digit.',
  })
}

function requireRoom(server: string, name: string, images: readonly ImageSummary[]): void {
  const names = new Set(images.map(({ labels }) => labels[label.snapshot]))
  if (names.has(name) || names.size < MOST_SNAPSHOTS) return
  throw new TestfleetError('USAGE', `${server} has ${names.size} snapshots, and cannot have more`, {
    server,
    hint: 'Remove one of them, or use its name again, which replaces it.',
  })
}

/** Looked at again: another call may have started the server from it before this one claimed the session. */
async function requireUnused(
  session: SessionName,
  { server, name }: Pick<SnapshotRequest, 'server' | 'name'>,
  { id }: ImageSummary,
  tools: Tools,
): Promise<void> {
  const found = await findServer(session, { server, isForced: true }, tools)
  if (found.server.container.imageId !== id) return
  throw new TestfleetError('USAGE', `${server} runs from its snapshot ${name}, which therefore cannot be removed`, {
    server,
    hint: `Run ${say('control', 'reset', server)} or restore another snapshot before you remove this one.`,
  })
}

/** `up` may have started another server of the same name since. */
function requireSameServer({ name: server, container }: ObservedServer, name: string, image: ImageSummary): void {
  if (image.labels[label.digest] === container.labels[label.digest]) return
  throw new TestfleetError('USAGE', `${server} has changed since the snapshot ${name} was taken`, {
    server,
    hint: 'Take a new snapshot: the image or the settings of the server have changed.',
  })
}

async function findImage(
  session: SessionName,
  { server, name }: Pick<SnapshotRequest, 'server' | 'name'>,
  tools: Tools,
): Promise<ImageSummary> {
  checkName(name)
  const images = await listImages(session, server, tools)
  const found = images.findLast(({ labels }) => labels[label.snapshot] === name)
  if (found !== undefined) return found
  const names = images.map(({ labels }) => labels[label.snapshot] ?? '')
  throw new TestfleetError('UNKNOWN_SNAPSHOT', `${server} has no snapshot \`${name}\``, {
    server,
    hint: names.length === 0 ? 'Take one first.' : `Its snapshots are: ${names.join(', ')}.`,
  })
}

/** The oldest first. */
async function listImages(
  { id }: SessionName,
  server: string,
  { runtime, signal }: Tools,
): Promise<readonly ImageSummary[]> {
  const images = await runtime.listSavedImages(id, { signal })
  return images
    .filter(({ labels }) => labels[label.server] === server && (labels[label.snapshot] ?? '') !== '')
    .sort((one, other) => one.createdAtMs - other.createdAtMs)
}

function referenceOf({ references, id }: ImageSummary): string {
  return references[0] ?? id
}
