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

/** A failure bundle that was written. */
export interface Bundle {
  readonly folder: string | undefined
  readonly archive: string | undefined
  /** Why there is no bundle, or what is missing in it. */
  readonly problem: string | undefined
  readonly summary: string
}

/**
 * Writes the failure bundle before anything is removed, masks the error, emits `failed`, and sets the error's `bundle`.
 * Does nothing for a cancelled call. Without a session, the bundle has only the builds.
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

/**
 * Writes the bundle for something that is not a testfleet error, such as a failed test command; `what` describes it.
 */
export async function captureState(what: string, session: StoredRecord, tools: Tools): Promise<Bundle> {
  return writeBundle(what, await lookAtScene(session, tools))
}

/**
 * Writes everything that is known of a failure into a new folder, and into an archive if requested. `failure` is the
 * error, or a description. Never fails, because the failure that it documents is what matters.
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

/** Parts of the bundle that were written so far. */
interface Draft {
  folder: string | undefined
  archive: string | undefined
  summary: string
}

/** Resolves a moment after the deadline if writing still has not ended: a file system may hang and ignore signals. */
async function takesTooLong({ problems, options: { signal } }: Scene): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await sleep(1000, undefined, { ref: false })
  problems.add('everything that could not be written in time')
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
  // The summary first: it is the most useful file, and the disk may be nearly full.
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

/** Returns the place in the fleet file: that of the error, or that of the failed server. */
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
