import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from '../../model/failures.ts'
import type { Fleet, Position } from '../../model/fleet.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { createMask, maskFailure } from '../mask.ts'
import { writeArchive } from './archive.ts'
import { readLastLines } from './container-log.ts'
import { type BundleContext, type Gathered, gather, openContext } from './context.ts'
import { describeProblem, openBundleFolder } from './folder.ts'
import { knownSecrets } from './gather-secrets.ts'
import { mark, removeOldBundles } from './remove-old.ts'
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
  const context = tools.cancelSignal.aborted ? undefined : await openContext(session, tools)
  maskFailure(error, context?.mask ?? createMask(knownSecrets(tools)))
  if (isFailure(error)) {
    const servers = error.server === undefined ? [] : [error.server]
    tools.onEvent({ kind: 'failed', servers, message: error.message })
  }
  // The session in which an image was baked has its own bundle.
  if (context === undefined || (isFailure(error) && error.bundle !== undefined)) return
  const bundle = await writeBundle(error, context)
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
  return writeBundle(what, await openContext(session, tools))
}

/**
 * Writes everything that is known of a failure into a new folder, and into an archive if requested. `failure` is the
 * error, or a description. Never fails, because the failure that it documents is what matters.
 */
async function writeBundle(failure: unknown, context: BundleContext): Promise<Bundle> {
  const { problems, mask, tools } = context
  const draft: Draft = { folder: undefined, archive: undefined, summary: '' }
  const work = fill(draft, failure, context).catch((error: unknown) => void problems.add(describeProblem(error)))
  await Promise.race([work, takesTooLong(context)])
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
async function takesTooLong({ problems, options: { signal } }: BundleContext): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await sleep(1000, undefined, { ref: false })
  problems.add('everything that could not be written in time')
}

async function fill(draft: Draft, failure: unknown, context: BundleContext): Promise<void> {
  const { session, isShown, mask, problems, tools, options } = context
  const { recorder, host } = tools
  const gathered = await gather(context)
  const logs = await readLastLines(failure, isShown ? gathered.servers : [], mask, tools.runtime, options)
  draft.summary = mask.text(formatSummary({ ...describe(failure, context, gathered), logs }))
  const name = session?.name ?? recorder.call?.fleet.name ?? 'call'
  const folder = await openBundleFolder(host.temporaryFolder, name, context.note)
  draft.folder = folder.path
  const fleet = session?.fleet ?? recorder.call?.fleet.name ?? name
  // The summary first: it is the most useful file, and the disk may be nearly full.
  await folder.save('summary.txt', draft.summary)
  await mark(folder, fleet)
  await Promise.all([
    removeOldBundles(host.temporaryFolder, fleet, host.userId).catch(() => {}),
    writeCallFiles(folder, gathered, context),
    writeEngineEvents(folder, context),
    ...gathered.servers.map((server) => writeServerFiles(server, folder, context)),
  ])
  if (problems.size > 0) await folder.append('summary.txt', `\n${mask.text(formatMissing(problems))}`)
  const { archive } = recorder
  if (archive === undefined) return
  try {
    await writeArchive(folder.path, archive, options.signal)
    draft.archive = archive
  } catch (error) {
    context.note('the archive', error)
  }
}

function describe(
  failure: unknown,
  { session, mask, tools: { recorder } }: BundleContext,
  { servers, version }: Gathered,
) {
  const fleet = recorder.call?.fleet
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
