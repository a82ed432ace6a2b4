import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from '../../model/failures.ts'
import type { Fleet, Position } from '../../model/fleet.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { createMask, maskFailure } from '../mask.ts'
import { writeArchive } from './archive.ts'
import { readLastLines } from './container-log.ts'
import { openBundleFolder, wordProblem } from './folder.ts'
import { keepNewest, mark } from './keep-newest.ts'
import { type Gathered, gather, knownSecrets, lookAtScene, type Scene } from './scene.ts'
import { formatMissing, formatSummary } from './summary.ts'
import { writeCallFiles, writeEngineEvents, writeServerFiles } from './write-files.ts'

/** What was kept of a failure. */
export interface Bundle {
  readonly folder: string | undefined
  readonly archive: string | undefined
  /** Why there is none, or what is missing of it. */
  readonly problem: string | undefined
  readonly summary: string
}

/**
 * Keeps all that can be known of a failure, before anything is removed: the error is masked, told, and names its bundle.
 * A call that was cancelled has none. Without a session, what was built is all there is.
 */
export async function captureFailure(error: unknown, session: StoredRecord | undefined, tools: Tools): Promise<void> {
  const scene = tools.cancelSignal.aborted ? undefined : await lookAtScene(session, tools)
  maskFailure(error, scene?.mask ?? createMask(knownSecrets(tools)))
  if (isFailure(error)) {
    const servers = error.server === undefined ? [] : [error.server]
    tools.onEvent({ kind: 'failed', servers, message: error.message })
  }
  if (scene === undefined) return
  const bundle = await writeBundle(error, scene)
  if (!isFailure(error)) return
  error.bundle = bundle.folder
  error.archive = bundle.archive
  error.bundleProblem = bundle.problem
  error.summary = bundle.summary
}

/** The same for what is no error of ours, such as a test command that fails; `what` says it. */
export async function captureState(what: string, session: StoredRecord, tools: Tools): Promise<Bundle> {
  return writeBundle(what, await lookAtScene(session, tools))
}

/**
 * Writes all that can be known of a failure into a new folder, and into an archive where one is wanted, before anything
 * is removed. `failure` is what was thrown, or words. Never fails: the failure that it documents is what matters.
 */
async function writeBundle(failure: unknown, scene: Scene): Promise<Bundle> {
  const { problems, mask, tools } = scene
  const draft: Draft = { folder: undefined, archive: undefined, summary: '' }
  const work = fill(draft, failure, scene).catch((error: unknown) => void problems.add(wordProblem(error)))
  await Promise.race([work, takesTooLong(scene)])
  const { folder, archive, summary } = draft
  if (folder !== undefined) tools.onEvent({ kind: 'bundled', folder, archive })
  if (problems.size === 0) return { folder, archive, problem: undefined, summary }
  return {
    folder,
    archive,
    problem: mask.text(formatProblems([...problems])),
    summary: `${summary}\n${mask.text(formatMissing(problems))}`,
  }
}

/** What there is of a bundle so far. */
interface Draft {
  folder: string | undefined
  archive: string | undefined
  summary: string
}

/** Resolves when the deadline has passed and still nothing ends: a file system may hang, and obeys no signal. */
async function takesTooLong({ problems, options: { signal } }: Scene): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await sleep(1000, undefined, { ref: false })
  problems.add('all that was not written in time')
}

async function fill(draft: Draft, failure: unknown, scene: Scene): Promise<void> {
  const { session, isShown, mask, problems, tools, options } = scene
  const { recorder, host } = tools
  const gathered = await gather(scene)
  const logs = await readLastLines(failure, isShown ? gathered.servers : [], mask, tools.engine, options)
  draft.summary = mask.text(formatSummary({ ...describe(failure, scene, gathered), logs }))
  const name = session?.name ?? recorder.subject?.fleet.name ?? 'call'
  const folder = await openBundleFolder(host.temporaryFolder, name, scene.note)
  draft.folder = folder.path
  const fleet = session?.fleet ?? recorder.subject?.fleet.name ?? name
  // First, as it says the most, and the disk may be nearly full.
  await folder.save('summary.txt', draft.summary)
  await mark(folder, fleet)
  await Promise.all([
    keepNewest(host.temporaryFolder, fleet, host.userId).catch(() => {}),
    writeCallFiles(folder, gathered, scene),
    writeEngineEvents(folder, scene),
    ...gathered.servers.map((server) => writeServerFiles(server, folder, scene)),
  ])
  if (problems.size > 0) await folder.append('summary.txt', `\n${mask.text(formatMissing(problems))}`)
  const { archive } = recorder
  if (archive === undefined) return
  try {
    await writeArchive(folder.path, archive, options.signal)
    draft.archive = archive
  } catch (error) {
    scene.note('the archive', error)
  }
}

function describe(failure: unknown, { session, mask, tools: { recorder } }: Scene, { servers, version }: Gathered) {
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
  }
}

/** A server that died was asked for where it is declared. */
function placeOf(failure: unknown, fleet: Fleet | undefined): Position | undefined {
  if (!isFailure(failure)) return undefined
  if (failure.at !== undefined || failure.server === undefined) return failure.at
  return fleet?.servers.has(failure.server) ? fleet.source.locate(['servers', failure.server]) : undefined
}

const MOST_PROBLEMS = 3

function formatProblems(problems: readonly string[]): string {
  const more = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : ''
  return `${problems.slice(0, MOST_PROBLEMS).join('; ')}${more}`
}
