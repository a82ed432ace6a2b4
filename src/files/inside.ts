import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { isInside } from '../formats/paths.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Position } from '../model/fleet.ts'

/** What has been checked by its path may be another thing when it is opened; what is open stays what it is. */
export interface Opened {
  readonly descriptor: number
  readonly stats: BigIntStats
  /** A path that leads to what is open, and to nothing else, for as long as it is open; undefined where there is none. */
  readonly fixedPath: string | undefined
}

// Some systems lack some of them. A named pipe that waits for its other end would hold the call for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** What opening says of a path that was a file or folder when it was looked at, and is no longer. */
const CHANGED = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO']

/**
 * Opens a file or folder at a path without links, gives it to `use`, and closes it. What is open is in one of the
 * folders, whatever has been done to the path since it was checked; else it fails with CONTEXT_CHANGED.
 */
export async function withOpened<T>(
  path: string,
  kind: 'file' | 'folder',
  roots: readonly string[],
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const descriptor = openChecked(path)
  try {
    return await use(checkOpened(descriptor, path, kind, roots))
  } finally {
    closeSync(descriptor)
  }
}

// These calls are not handed to another thread: a fleet has many small files, and that takes ten times as long.
function openChecked(path: string): number {
  try {
    return openSync(path, FLAGS)
  } catch (error) {
    throw CHANGED.includes((error as NodeJS.ErrnoException).code ?? '') ? changed(path) : error
  }
}

function checkOpened(descriptor: number, path: string, kind: 'file' | 'folder', roots: readonly string[]): Opened {
  const stats = fstatSync(descriptor, { bigint: true })
  if (kind === 'file' ? !stats.isFile() : !stats.isDirectory()) throw changed(path)
  const link = `/proc/self/fd/${descriptor}`
  const where = ifThere<string>(readlinkSync, link)
  const isRight = where === undefined ? isStillThere(stats, path, roots) : roots.some((root) => isInside(where, root))
  if (!isRight) throw changed(path)
  return { descriptor, stats, fixedPath: where === undefined ? undefined : link }
}

/** Only Linux tells where an open file is; elsewhere it must be the one that its path still leads to. */
function isStillThere(stats: BigIntStats, path: string, roots: readonly string[]): boolean {
  const now = ifThere<string>(realpathSync.native, path)
  const there = ifThere((it) => lstatSync(it, { bigint: true }), path)
  const isInRoot = now !== undefined && roots.some((root) => isInside(now, root))
  return isInRoot && there?.dev === stats.dev && there.ino === stats.ino
}

/** What a look at a path finds; undefined when it finds nothing. */
export function ifThere<Found>(look: (path: string) => Found, path: string): Found | undefined {
  try {
    return look(path)
  } catch {
    return undefined
  }
}

export function changed(path: string): TestfleetError {
  return new TestfleetError('CONTEXT_CHANGED', `${path} changed while it was read`, { hint: 'Run the command again.' })
}

export type Member = { readonly name: string } & (
  | { readonly kind: 'folder' | 'file' | 'other' }
  | { readonly kind: 'link'; readonly target: string }
)

/** What is in a folder, by name; the folder is one of `roots` or in one of them. Fails with CONTEXT_CHANGED. */
export async function listInside(folder: string, roots: readonly string[]): Promise<Member[]> {
  return withOpened(folder, 'folder', roots, async ({ fixedPath = folder }) => {
    const members = readdirSync(fixedPath, { withFileTypes: true })
    members.sort((a, b) => (a.name < b.name ? -1 : 1))
    return members.map((member): Member => {
      const { name } = member
      if (member.isDirectory()) return { name, kind: 'folder' }
      if (member.isSymbolicLink()) return { name, kind: 'link', target: readlinkSync(join(fixedPath, name)) }
      return { name, kind: member.isFile() ? 'file' : 'other' }
    })
  })
}

const CHUNK_BYTES = 64 * 1024
const readNext = promisify(read)

/** The bytes of an open file, from its start. Small files are read at once; for more, others have their turn between. */
export async function* readOpened({ descriptor, stats }: Opened): AsyncGenerator<Buffer, void> {
  for (let position = 0; ; ) {
    const isSmall = position === 0 && stats.size < CHUNK_BYTES
    const chunk = Buffer.allocUnsafe(isSmall ? Number(stats.size) + 1 : CHUNK_BYTES)
    const length = isSmall
      ? readSync(descriptor, chunk, 0, chunk.length, position)
      : (await readNext(descriptor, chunk, 0, chunk.length, position)).bytesRead
    if (length > 0) yield chunk.subarray(0, length)
    position += length
    if (length === 0 || (isSmall && length < chunk.length)) return
  }
}

/** Why a file is not read, in words that follow its name. */
export class UnfitFile extends Error {
  readonly kind: 'outside' | 'no file' | 'too large'
  /** Of one that is too large: its bytes, as far as they are known. */
  readonly sizeBytes: number

  constructor(kind: UnfitFile['kind'], message: string, sizeBytes = 0) {
    super(message)
    this.kind = kind
    this.sizeBytes = sizeBytes
  }
}

/**
 * The bytes of a small file. It is in the folder `root`, its links followed; undefined allows any place. Fails with an
 * `UnfitFile`, with CONTEXT_CHANGED for what becomes unfit while it is read, and as the file system does.
 */
export async function readBytesInside(path: string, root: string | undefined, maxBytes: number): Promise<Buffer> {
  const real = realpathSync.native(path)
  const realRoot = root === undefined ? real : realpathSync.native(root)
  if (!isInside(real, realRoot)) throw new UnfitFile('outside', 'leads out of its folder')
  const { size } = assertFile(real)
  const tooLarge = (bytes: number): UnfitFile =>
    new UnfitFile('too large', `has ${bytes} bytes; it can have at most ${maxBytes}`, bytes)
  if (size > maxBytes) throw tooLarge(size)
  return withOpened(real, 'file', [realRoot], async (opened) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    for await (const chunk of readOpened(opened)) {
      sizeBytes += chunk.length
      // It grows, or is made by the kernel while it is read.
      if (sizeBytes > maxBytes) throw tooLarge(sizeBytes)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  })
}

function assertFile(path: string): { readonly size: number } {
  const stats = lstatSync(path)
  if (!stats.isFile()) throw new UnfitFile('no file', 'is not a file')
  return stats
}

export interface InsideRequest {
  readonly folder: string
  /** Whether the path may lead out of that folder. */
  readonly mayLeave: boolean
  readonly maxBytes: number
  readonly at?: Position | undefined
}

/**
 * A small file's text. Fails with FLEET_FILE_INVALID for what is too large, no file, or elsewhere; with CONTEXT_CHANGED
 * for what becomes so while it is read.
 */
export async function readTextInside(path: string, request: InsideRequest): Promise<string> {
  const { folder, mayLeave, maxBytes, at } = request
  try {
    return (await readBytesInside(path, mayLeave ? undefined : folder, maxBytes)).toString('utf8')
  } catch (error) {
    if (!(error instanceof UnfitFile)) throw error
    const isOutside = error.kind === 'outside'
    const why = isOutside ? "leads out of the fleet's folder; `outside: true` allows it" : error.message
    throw new TestfleetError('FLEET_FILE_INVALID', `${relative(folder, path)} ${why}`, { at })
  }
}
