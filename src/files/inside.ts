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

/** An open file or folder. A path may lead elsewhere by the time it is opened; an open descriptor cannot change. */
export interface Opened {
  readonly descriptor: number
  readonly stats: BigIntStats
  /** Path that leads to this open file as long as it is open; undefined on systems without such paths. */
  readonly fixedPath: string | undefined
}

// Some systems lack some of these flags. Opening a named pipe without NONBLOCK would block for ever.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Error codes for a path that was a file or folder when it was checked, and no longer is. */
const CHANGED = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO']

/**
 * Opens a file or folder at a path without links, passes it to `use`, and closes it. Fails with CONTEXT_CHANGED unless
 * the opened file is inside one of the folders, whatever has happened to the path since it was checked.
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

// Synchronous calls: a fleet has many small files, and handing each to another thread takes ten times as long.
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

/** Only Linux reports the path of an open file; elsewhere the file must be the one that its path still leads to. */
function isStillThere(stats: BigIntStats, path: string, roots: readonly string[]): boolean {
  const now = ifThere<string>(realpathSync.native, path)
  const there = ifThere((it) => lstatSync(it, { bigint: true }), path)
  const isInRoot = now !== undefined && roots.some((root) => isInside(now, root))
  return isInRoot && there?.dev === stats.dev && there.ino === stats.ino
}

/** Returns what `look` finds at the path; undefined when nothing exists there. */
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

/** Lists a folder, sorted by name. The folder must be one of `roots` or inside one. Fails with CONTEXT_CHANGED. */
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

/** Reads an open file from its start. Yields to other work between the chunks of a large file. */
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

/** Reason why a file cannot be read. The message continues the file's name. */
export class UnfitFile extends Error {
  readonly kind: 'outside' | 'no file' | 'too large'
  /** Size of a file that is too large, in bytes, as far as known. */
  readonly sizeBytes: number

  constructor(kind: UnfitFile['kind'], message: string, sizeBytes = 0) {
    super(message)
    this.kind = kind
    this.sizeBytes = sizeBytes
  }
}

/**
 * Reads a small file. After following links, it must be inside the folder `root`; undefined allows any place. Fails
 * with an `UnfitFile`, with CONTEXT_CHANGED when the file changes while it is read, or with an error of the file
 * system.
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
      // The file grows, or the kernel generates it while it is read.
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
  /** Whether the path may lead out of the folder. */
  readonly mayLeave: boolean
  readonly maxBytes: number
  readonly at?: Position | undefined
}

/**
 * Reads the text of a small file. Fails with FLEET_FILE_INVALID when it is too large, not a file, or outside the
 * folder; with CONTEXT_CHANGED when that happens while it is read.
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
