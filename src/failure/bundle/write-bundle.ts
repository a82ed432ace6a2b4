import type { CallOptions } from '../../engine/engine.ts'
import { isFailure } from '../../model/failures.ts'
import type { Fleet, Position } from '../../model/fleet.ts'
import { label } from '../../model/labels.ts'
import { formatPlan } from '../../plan/format-plan.ts'
import type { Tools } from '../../tools.ts'
import { toLines } from '../bounded-list.ts'
import { writeArchive } from './archive.ts'
import { toJsonFleet } from './effective-fleet.ts'
import { type BundleFolder, openBundleFolder } from './folder.ts'
import { formatTime } from './format-time.ts'
import { type Gathered, gather } from './gather.ts'
import { toJsonLine, toJsonText } from './json-text.ts'
import { readLastLines } from './last-lines.ts'
import type { Scene } from './scene.ts'
import { writeServerFiles } from './server-files.ts'
import { formatMissing, formatSummary } from './summary.ts'
import { wordProblem } from './word-problem.ts'

/** What was kept of a failure. */
export interface Bundle {
  readonly folder: string | undefined
  readonly archive: string | undefined
  /** Why there is none, or what is missing of it. */
  readonly problem: string | undefined
  readonly summary: string
}

const DEADLINE_MS = 15_000

export function bundleDeadline(tools: Tools): AbortSignal {
  return AbortSignal.any([tools.cancelSignal, AbortSignal.timeout(DEADLINE_MS)])
}

/**
 * Writes all that can be known of a failure into a new folder, and into an archive where one is wanted, before anything
 * is removed. `failure` is what was thrown, or words. Never fails: the failure that it documents is what matters.
 */
export async function writeBundle(failure: unknown, scene: Scene, tools: Tools, signal: AbortSignal): Promise<Bundle> {
  const draft: Draft = { folder: undefined, archive: undefined, problems: new Set(scene.problems), summary: '' }
  const work = fill(draft, failure, scene, tools, signal).catch((error: unknown) => {
    draft.problems.add(wordProblem(error))
  })
  await Promise.race([work, hasTakenTooLong(signal, draft)])
  const problems = [...draft.problems]
  const { folder, archive, summary } = draft
  if (folder !== undefined) tools.onEvent({ kind: 'bundled', folder: folder.path, archive })
  return {
    folder: folder?.path,
    archive,
    problem: problems.length === 0 ? undefined : scene.mask.text(formatProblems(problems)),
    summary: problems.length === 0 ? summary : `${summary}\n${scene.mask.text(formatMissing(problems))}`,
  }
}

interface Draft {
  folder: BundleFolder | undefined
  archive: string | undefined
  readonly problems: Set<string>
  summary: string
}

/** A file system may hang, and obeys no signal. */
function hasTakenTooLong(signal: AbortSignal, draft: Draft): Promise<void> {
  return new Promise((resolve) => {
    const wait = (): void => {
      const clock = setTimeout(() => {
        draft.problems.add('all that was not written in time')
        resolve()
      }, 1000)
      clock.unref()
    }
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
}

async function fill(draft: Draft, failure: unknown, scene: Scene, tools: Tools, signal: AbortSignal): Promise<void> {
  const { mask } = scene
  const options = { signal }
  const onProblem = (what: string, error: unknown): void => void draft.problems.add(`${what}: ${wordProblem(error)}`)
  const gathered = await gather(scene.containers, tools, onProblem, options)
  const shown = scene.hiddenBecause === undefined ? gathered.servers : []
  const logs = await readLastLines(failure, shown, mask, tools, options)
  draft.summary = mask.text(formatSummary(describe(failure, scene, gathered, logs, tools)))
  const name = scene.session?.name ?? tools.recorder.subject?.fleet.name ?? 'call'
  const folder = await openBundleFolder(tools.host.temporaryFolder, name, onProblem)
  draft.folder = folder
  // First, as it says the most, and the disk may be nearly full.
  await folder.save('summary.txt', draft.summary)
  await Promise.all([
    writeCallFiles(folder, gathered, scene, tools),
    writeEngineEvents(folder, scene, tools, options),
    ...gathered.servers.map((server) =>
      writeServerFiles(server, scene.hiddenBecause === undefined, folder, mask, tools, options),
    ),
  ])
  if (draft.problems.size > 0) await folder.append('summary.txt', `\n${mask.text(formatMissing(draft.problems))}`)
  const { archive } = tools.recorder
  if (archive === undefined) return
  try {
    await writeArchive(folder.path, archive, signal)
    draft.archive = archive
  } catch (error) {
    onProblem('the archive', error)
  }
}

function describe(
  failure: unknown,
  { session, mask }: Scene,
  { servers, version }: Gathered,
  logs: ReadonlyMap<string, readonly string[]>,
  { recorder }: Tools,
) {
  const fleet = recorder.subject?.fleet
  const answersOf = (name: string): Map<string, string> =>
    new Map([...recorder.lastAnswersOf(name)].map(([check, answer]) => [check, mask.text(answer)]))
  return {
    atMs: Date.now(),
    failure,
    at: placeOf(failure, fleet),
    session: session?.name,
    fleet: fleet?.name,
    fleetFile: fleet?.source.file,
    engine: version,
    servers: servers.map(({ name, container }) => ({ name, container, answers: answersOf(name) })),
    logs,
  }
}

/** A server that died was asked for where it is declared. */
function placeOf(failure: unknown, fleet: Fleet | undefined): Position | undefined {
  if (!isFailure(failure)) return undefined
  if (failure.at !== undefined || failure.server === undefined) return failure.at
  return fleet?.servers.has(failure.server) ? fleet.source.locate(['servers', failure.server]) : undefined
}

async function writeCallFiles(
  folder: BundleFolder,
  { version, info }: Gathered,
  { mask }: Scene,
  { engine, recorder }: Tools,
): Promise<void> {
  const { subject } = recorder
  const events = toLines(
    recorder.events,
    ({ atMs, what }) => toJsonLine({ time: formatTime(atMs), ...what }, mask),
    (count) => toJsonLine({ kind: 'cut', missing: count, because: 'there were too many events' }, mask),
  )
  const { url, because } = engine.location
  await Promise.all([
    subject && folder.save('fleet.json', toJsonText(toJsonFleet(subject.fleet), mask)),
    // Without a session, its first line would name none.
    subject && folder.save('plan.txt', mask.text(formatPlan(subject.plan).replace(/^session \n/, ''))),
    folder.save('engine.json', toJsonText({ url, because, version, info }, mask)),
    folder.save('events.ndjson', events.join('')),
  ])
}

async function writeEngineEvents(
  folder: BundleFolder,
  { session, containers, mask, hiddenBecause }: Scene,
  { engine, recorder }: Tools,
  options: CallOptions,
): Promise<void> {
  if (session === undefined || hiddenBecause !== undefined) return
  const read = async (): Promise<string> => {
    // The engine's clock may be another one.
    const fromMs = Math.min(recorder.startedAtMs, ...containers.map(({ container }) => container.createdAtMs))
    const events = await engine.readEvents({ [label.session]: session.id }, { fromMs, toMs: Date.now() }, options)
    return events.map((event) => toJsonLine(event, mask)).join('')
  }
  await folder.save('engine-events.ndjson', read)
}

const MOST_PROBLEMS = 3

function formatProblems(problems: readonly string[]): string {
  const more = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : ''
  return `${problems.slice(0, MOST_PROBLEMS).join('; ')}${more}`
}
