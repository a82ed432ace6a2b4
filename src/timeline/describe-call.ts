import { findCriticalPath, findFailed, imageId, phaseId } from './critical-path.ts'
import { describeWaits } from './describe-waits.ts'
import type { NotedImage, NotedOperation, Notes } from './notes.ts'
import { sumUp } from './sum-up.ts'
import type { CallTimeline, CheckLine, Outcome, Part, Range, Row, Span } from './timeline-model.ts'
import { phaseTitles, wordOperation } from './word-operation.ts'
import { formatMs } from './word-time.ts'

export interface EndedCall {
  readonly call: string
  readonly version: string
  readonly startedAt: Date
  readonly totalMs: number
  readonly outcome: Outcome
  readonly message: string | undefined
}

/** Makes rows of what was noted: the call itself, images that several servers share, and the servers. */
export function describeCall(notes: Notes, ended: EndedCall): CallTimeline {
  const { totalMs, outcome, message } = ended
  const path = findCriticalPath(notes, totalMs)
  const critical = new Set(path.flatMap(({ span }) => span ?? []))
  const command = findCommand(notes, totalMs)
  const context = { notes, totalMs, critical, isCancelled: outcome === 'cancelled' }
  return {
    ...ended,
    session: notes.session,
    summary: sumUp(path, { totalMs, outcome, message, command }),
    rows: [describeOwnRow(context), ...describeImageRows(context), ...describeServers(context)],
    path,
    command,
    warnings: notes.warnings,
  }
}

interface Context {
  readonly notes: Notes
  readonly totalMs: number
  readonly critical: ReadonlySet<string>
  readonly isCancelled: boolean
}

function findCommand({ phases }: Notes, totalMs: number): Range | undefined {
  const index = phases.findIndex(({ phase }) => phase === 'command')
  const phase = phases[index]
  return phase && { fromMs: phase.fromMs, toMs: phases[index + 1]?.fromMs ?? totalMs }
}

function describeOwnRow(context: Context): Row {
  const { notes, totalMs, critical } = context
  const phases = notes.phases.flatMap((phase, index): Span[] => {
    // Its operations are shown instead.
    if (phase.phase === 'carryOut') return []
    const id = phaseId(phase)
    const range = { fromMs: phase.fromMs, toMs: notes.phases[index + 1]?.fromMs ?? totalMs }
    const kind = phase.phase === 'command' ? 'command' : phase.phase === 'queue' ? 'wait' : 'own'
    return [{ ...plain, ...range, id, kind, title: phaseTitles[phase.phase], isCritical: critical.has(id) }]
  })
  const isOwn = ({ servers }: NotedOperation): boolean => servers.length === 0
  const operations = describeOperations(notes.operations.filter(isOwn), context)
  const spans = [...phases, ...operations].sort(byTime)
  return { kind: 'call', name: 'testfleet', spans, checks: [], readyMs: undefined, state: '' }
}

const plain = { outcome: 'ok', needs: [], notes: [], parts: [] } as const

function byTime(one: Range, other: Range): number {
  return one.fromMs - other.fromMs || one.toMs - other.toMs
}

const imageKinds: readonly string[] = ['pullImage', 'buildImage', 'bakeImage']

/** An image that one server uses is shown in the row of that server. */
function describeImageRows(context: Context): Row[] {
  const { notes } = context
  const shared = notes.operations.filter(
    ({ kind, servers, fromMs }) => imageKinds.includes(kind) && servers.length > 1 && fromMs !== undefined,
  )
  const rows = shared.map((operation) => ({
    name: operation.about,
    spans: describeOperations([operation], context),
    state: `for ${operation.servers.join(', ')}`,
  }))
  // Base images that are pulled while the call plans, and images of a call without a plan, have no operation.
  const known = new Set(notes.operations.map(({ about }) => about))
  const others = notes.images
    .filter(({ reference }) => !known.has(reference))
    .map((image) => ({
      name: image.reference,
      spans: [describeImage(image, context)],
      state: `for ${image.servers.join(', ')}`,
    }))
  return [...others, ...rows].map((row) => ({ ...row, kind: 'image', checks: [], readyMs: undefined }))
}

function describeImage(image: NotedImage, { totalMs, critical }: Context): Span {
  const id = imageId(image)
  const toMs = image.toMs ?? totalMs
  const title = image.kind === 'pull' ? 'pulling the image' : 'building the image'
  const parts = describeSteps(image, toMs)
  const { fromMs } = image
  const outcome = image.toMs === undefined ? 'failed' : 'ok'
  return { ...plain, id, kind: 'image', title, fromMs, toMs, outcome, isCritical: critical.has(id), parts }
}

/** A builder reports when a step begins; it ends when the next one begins. */
function describeSteps({ steps }: NotedImage, toMs: number): Part[] {
  return steps.map(({ title, fromMs, isCached }, index) => ({
    title: isCached ? `${title} (cached)` : title,
    fromMs,
    toMs: Math.max(fromMs, steps[index + 1]?.fromMs ?? toMs),
  }))
}

function describeServers(context: Context): Row[] {
  const { notes } = context
  const names = new Set([
    ...notes.operations.flatMap(({ servers }) => servers),
    ...notes.ends.map(({ server }) => server),
  ])
  return [...names].map((name) => describeServer(name, context))
}

function describeServer(name: string, context: Context): Row {
  const { notes, totalMs } = context
  const own = notes.operations.filter(({ servers }) => servers.length === 1 && servers[0] === name)
  const done = describeOperations(own, context)
  const covers = (range: Range): boolean =>
    done.some(({ fromMs, toMs }) => fromMs <= range.fromMs && range.fromMs <= toMs)
  const ends = notes.ends
    .filter((end) => end.server === name && !covers({ fromMs: end.fromMs, toMs: end.toMs ?? totalMs }))
    .map((end, index): Span => {
      const title = end.kind === 'stop' ? 'stopping' : 'removing'
      const toMs = end.toMs ?? totalMs
      return { ...plain, id: `end ${name} ${index}`, kind: 'stop', title, fromMs: end.fromMs, toMs, isCritical: false }
    })
  const waits = describeWaits(name, own, context)
  const readyMs = notes.readyMs.get(name)
  return {
    kind: 'server',
    name,
    spans: [...waits, ...done, ...ends].sort(byTime),
    checks: describeChecks(name, context),
    readyMs,
    state: describeState(name, own, context),
  }
}

function describeState(name: string, own: readonly NotedOperation[], { notes }: Context): string {
  const readyMs = notes.readyMs.get(name)
  if (own.some(({ kind }) => kind === 'keepServer') && readyMs !== undefined) return 'unchanged'
  if (readyMs !== undefined) return `ready after ${formatMs(readyMs)}`
  if (notes.failed.has(name)) return 'failed'
  const because = notes.skipped.get(name)
  if (because !== undefined) return `not started, because of ${because}`
  return own.some(({ hasFailed }) => hasFailed) ? 'cancelled' : ''
}

function describeOperations(
  operations: readonly NotedOperation[],
  { notes, totalMs, critical, isCancelled }: Context,
): Span[] {
  const failed = findFailed(notes.operations)
  return operations.flatMap((operation): Span[] => {
    const { id, needs, fromMs, hasFailed } = operation
    if (fromMs === undefined) return []
    const toMs = operation.toMs ?? totalMs
    const { kind, title } = wordOperation(operation)
    const range = { fromMs, toMs }
    const parts = describeParts(operation, notes, range)
    const outcome = !hasFailed ? 'ok' : failed === operation && !isCancelled ? 'failed' : 'cancelled'
    return [{ id, kind, title, ...range, outcome, isCritical: critical.has(id), needs, notes: [], parts }]
  })
}

function describeParts(operation: NotedOperation, { images, hooks }: Notes, range: Range): Part[] {
  const { kind, servers, about } = operation
  if (imageKinds.includes(kind)) {
    const image = images.find(({ reference, fromMs }) => reference === about && fromMs >= range.fromMs - 1)
    return image === undefined ? [] : describeSteps(image, range.toMs)
  }
  if (kind !== 'runHooks') return []
  const own = hooks.filter(
    ({ server, fromMs }) => server === servers[0] && fromMs >= range.fromMs && fromMs <= range.toMs,
  )
  return own.map(({ title, fromMs }, index) => ({ title, fromMs, toMs: own[index + 1]?.fromMs ?? range.toMs }))
}

function describeChecks(server: string, { notes, totalMs }: Context): CheckLine[] {
  const awaiting = notes.operations.filter(
    ({ kind, servers }) => (kind === 'awaitReady' || kind === 'keepServer') && servers[0] === server,
  )
  const lastMs = Math.max(0, ...awaiting.map(({ toMs }) => toMs ?? totalMs))
  return (notes.checks.get(server) ?? []).map(({ name, fromMs, passedMs, tries }) => ({
    name,
    fromMs,
    toMs: passedMs ?? Math.max(fromMs, lastMs || totalMs),
    isPassed: passedMs !== undefined,
    tries,
  }))
}
