import type { NotedImage, NotedOperation, NotedPhase, Notes } from './notes.ts'
import type { PathPart, Range } from './timeline-model.ts'
import { phaseTitles, wordOperation } from './word-operation.ts'
import { formatMs } from './word-time.ts'

/** Shorter gaps between two operations are added to the second one. */
const GAP_MS = 5

/**
 * Finds what each moment of the call was spent on. Phases follow each other. In the phase that carries out the plan, it goes
 * back from the operation that ended last, each time to the last thing that it had to wait for.
 */
export function findCriticalPath(notes: Notes, totalMs: number): PathPart[] {
  return notes.phases.flatMap((phase, index) => {
    const range = { fromMs: phase.fromMs, toMs: notes.phases[index + 1]?.fromMs ?? totalMs }
    return phase.phase === 'carryOut' ? findInPlan(notes, range) : splitPhase(notes, phase, range)
  })
}

/** Id of the span of a phase. */
export function phaseId({ phase, fromMs }: NotedPhase): string {
  return `phase ${phase} ${fromMs}`
}

/** Base images are pulled while the call plans. */
function splitPhase({ images }: Notes, phase: NotedPhase, range: Range): PathPart[] {
  const own = { span: phaseId(phase), title: phaseTitles[phase.phase], detail: undefined }
  const pull = images
    .filter((image) => image.kind === 'pull' && image.fromMs >= range.fromMs && endOf(image, range) <= range.toMs)
    .sort((one, other) => endOf(other, range) - endOf(one, range))[0]
  if (pull === undefined) return [{ ...own, ...range }].filter(isLong)
  const toMs = endOf(pull, range)
  return [
    { ...own, fromMs: range.fromMs, toMs: pull.fromMs },
    { span: imageId(pull), title: `pulling ${pull.reference}`, detail: undefined, fromMs: pull.fromMs, toMs },
    { ...own, fromMs: toMs, toMs: range.toMs },
  ].filter(isLong)
}

export function imageId({ kind, reference, fromMs }: NotedImage): string {
  return `image ${kind} ${reference} ${fromMs}`
}

function isLong({ fromMs, toMs }: Range): boolean {
  return toMs > fromMs
}

function endOf({ toMs }: { readonly toMs: number | undefined }, { toMs: last }: Range): number {
  return toMs ?? last
}

/** A call can carry out one plan after another. */
function isWithin({ fromMs }: NotedOperation, range: Range): boolean {
  return fromMs !== undefined && fromMs >= range.fromMs && fromMs <= range.toMs
}

type Begun = NotedOperation & { readonly fromMs: number }

function findInPlan(notes: Notes, range: Range): PathPart[] {
  const begun = notes.operations.filter((one): one is Begun => isWithin(one, range))
  const byId = new Map(begun.map((one) => [one.id, one]))
  const end = (one: Begun): number => Math.min(endOf(one, range), range.toMs)
  const failed = findFailed(begun)
  const last = begun.find((one) => one === failed) ?? begun.toSorted((one, other) => end(other) - end(one))[0]
  const parts: PathPart[] = []
  let laterMs = range.toMs
  for (let one = last; one !== undefined; ) {
    const current: Begun = one
    if (laterMs - end(current) > GAP_MS) parts.unshift(gap(end(current), laterMs))
    const before = current.needs.flatMap((id) => byId.get(id) ?? []).sort((a, b) => end(b) - end(a))[0]
    const beforeMs = before === undefined ? range.fromMs : end(before)
    // The time between two operations that follow each other at once is too short to be shown.
    const fromMs = current.fromMs - beforeMs > GAP_MS ? current.fromMs : Math.max(beforeMs, range.fromMs)
    const toMs = laterMs - end(current) > GAP_MS ? end(current) : laterMs
    const title = wordOperation(current).whole
    parts.unshift({ span: current.id, title, detail: describe(current, notes, { fromMs, toMs }), fromMs, toMs })
    laterMs = fromMs
    one = before
  }
  if (laterMs > range.fromMs) parts.unshift(gap(range.fromMs, laterMs))
  return parts.filter(isLong)
}

/** Returns the operation that failed first. It cancels the others, which end a little later. */
export function findFailed(operations: readonly NotedOperation[]): NotedOperation | undefined {
  const failed = operations.filter(({ hasFailed }) => hasFailed)
  return failed.sort((one, other) => (one.toMs ?? 0) - (other.toMs ?? 0))[0]
}

function gap(fromMs: number, toMs: number): PathPart {
  return { span: undefined, title: 'testfleet itself', detail: undefined, fromMs, toMs }
}

/** Names what took longest: the check that passed last, or the longest step of a build. */
function describe({ kind, servers, about }: NotedOperation, notes: Notes, range: Range): string | undefined {
  if (kind === 'awaitReady' || kind === 'keepServer') {
    const checks = notes.checks.get(servers[0] ?? '') ?? []
    const slowest = checks.toSorted(
      (one, other) => (other.passedMs ?? Number.POSITIVE_INFINITY) - (one.passedMs ?? Number.POSITIVE_INFINITY),
    )[0]
    if (slowest === undefined) return undefined
    return slowest.passedMs === undefined ? `${slowest.name} did not pass` : `${slowest.name} passed last`
  }
  if (kind !== 'buildImage' && kind !== 'bakeImage') return undefined
  const image = notes.images.find((one) => one.kind === 'build' && one.reference === about)
  const steps = image?.steps ?? []
  const longest = steps
    .map(({ title, fromMs }, index) => ({ title, tookMs: (steps[index + 1]?.fromMs ?? range.toMs) - fromMs }))
    .sort((one, other) => other.tookMs - one.tookMs)[0]
  return longest && `${longest.title} took ${formatMs(longest.tookMs)}`
}
