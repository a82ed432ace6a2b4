import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { PublishedPort } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Labels } from '../../model/labels.ts'
import { isProcessId, toProcessId } from '../../model/process-id.ts'

/**
 * A folder for each server, in a folder that only its user can enter: it exists as long as the server does. What is in it
 * never changes, except the log.
 */

/** What never changes of a server. */
export interface ServerCard {
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly command: readonly string[]
  readonly published: readonly PublishedPort[]
  readonly createdAtMs: number
  /** URL of the engine that has its session's record. */
  readonly engine: string
}

/** The same for every call of a user, whatever TMPDIR is. */
export function serversFolder(userId: number | undefined): string {
  return `/tmp/testfleet-${userId ?? 0}/processes`
}

export function makeProcessId(): string {
  return toProcessId(randomBytes(12).toString('hex'))
}

/** File to which the supervisors of a session append events. A session's id is a label, which can be any text. */
export const eventsFile = (root: string, session: string): string =>
  join(root, `events-${session.replaceAll(/[^\w-]/g, '_')}`)

export const socketOf = (folder: string): string => join(folder, 'socket')
const cardOf = (folder: string): string => join(folder, 'server.json')

/** Creates the folder of a server. Fails with STATE_FOLDER_UNUSABLE when another user could change it. */
export function makeServerFolder(root: string, card: ServerCard, userId: number | undefined): string {
  makeOwn(dirname(root), userId)
  makeOwn(root, userId)
  const folder = join(root, card.id)
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(`${cardOf(folder)}~`, JSON.stringify(card), { mode: 0o600 })
  // Another call never reads half of it.
  renameSync(`${cardOf(folder)}~`, cardOf(folder))
  return folder
}

function makeOwn(folder: string, userId: number | undefined): void {
  try {
    mkdirSync(folder, { mode: 0o700, recursive: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(folder, (error as Error).message, error)
  }
  if (!isOwn(folder, userId)) throw unusable(folder, 'it belongs to another user, or others may write to it', undefined)
}

function isOwn(folder: string, userId: number | undefined): boolean {
  try {
    const stat = lstatSync(folder)
    return stat.isDirectory() && stat.uid === userId && (stat.mode & 0o077) === 0
  } catch {
    return false
  }
}

function unusable(folder: string, why: string, cause: unknown): TestfleetError {
  return new TestfleetError(
    'STATE_FOLDER_UNUSABLE',
    `a server without a container needs the folder ${folder}: ${why}`,
    {
      hint: 'Remove that folder, or have its owner remove it.',
      cause,
    },
  )
}

/** A process, as the system tells it from a later one with its id. */
export interface KnownProcess {
  readonly pid: number
  readonly startedAt: string
}

/** Lists the servers of this user. */
export function listCards(root: string, userId: number | undefined): ServerCard[] {
  if (!isOwn(dirname(root), userId) || !isOwn(root, userId)) return []
  const names = readdirSync(root).filter((name) => isProcessId(name) && !name.includes('.'))
  return names.flatMap((name) => readCard(join(root, name)) ?? [])
}

export function readCard(folder: string): ServerCard | undefined {
  try {
    return JSON.parse(readFileSync(cardOf(folder), 'utf8')) as ServerCard
  } catch {
    // It is being created or removed.
    return undefined
  }
}

const runOf = (folder: string): string => join(folder, 'run.json')

/** Notes which process the program of a server is, until `endRun`. */
export function noteRun(folder: string, root: KnownProcess): void {
  try {
    writeFileSync(`${runOf(folder)}~`, JSON.stringify(root), { mode: 0o600 })
    renameSync(`${runOf(folder)}~`, runOf(folder))
  } catch {
    // The disk is full, or the folder is being removed. The program is then found by its mark only.
  }
}

/** Returns the program of a server that runs, or whose supervisor was killed while it ran. */
export function readRun(folder: string): KnownProcess | undefined {
  try {
    return JSON.parse(readFileSync(runOf(folder), 'utf8')) as KnownProcess
  } catch {
    return undefined
  }
}

/** Notes that the program of a server has ended. Of several callers, exactly one gets true: it reports the end. */
export function endRun(folder: string): boolean {
  try {
    unlinkSync(runOf(folder))
    return true
  } catch {
    return false
  }
}

/** Removes a server's folder. Of several callers, exactly one gets true. */
export function removeServerFolder(folder: string): boolean {
  const gone = `${folder}.gone`
  try {
    renameSync(folder, gone)
  } catch {
    return false
  }
  rmSync(gone, { recursive: true, force: true })
  return true
}

/** Appends a line to the file of a session's events. The file system keeps lines of several writers apart. */
export function appendLine(path: string, line: string): void {
  appendFileSync(path, `${line}\n`, { mode: 0o600 })
}
