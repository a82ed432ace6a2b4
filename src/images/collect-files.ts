import { createHash } from 'node:crypto'
import { lstatSync, realpathSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { listInside, type Member, readOpened, withOpened } from '../files/inside.ts'
import type { IgnoreFile } from '../formats/ignore-file.ts'
import { isInside, slashPath } from '../formats/paths.ts'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Position } from '../model/fleet.ts'
import type { ContextEntry } from '../model/plan.ts'
import { contentTimeS } from './content-time.ts'

export interface CollectOptions {
  /** The fleet's folder with its links resolved. No path may lead out of it. */
  readonly root: string
  /** Whether the source may be elsewhere. Its content may then link to itself, too. */
  readonly mayLeave?: boolean | undefined
  /** Where the fleet file declares it. */
  readonly at?: Position | undefined
  /** Permission bits for every file, or undefined to keep each file's, without writing by group and others. */
  readonly mode?: number | undefined
  /** Whether the files are part of testfleet. Their modes depend on its installation, so only execution counts. */
  readonly isShipped?: boolean | undefined
  /** Says which paths, relative to the source, are excluded. */
  readonly ignore?: IgnoreFile | undefined
  /** Receives the absolute path of each file of another kind than file, folder and link. No image can contain those. */
  readonly onLeftOut?: ((path: string) => void) | undefined
  /** Size of the whole context, if it is limited. */
  readonly size?: ContextSize | undefined
  readonly signal?: AbortSignal | undefined
}

/** Number of files that are read at the same time. */
const CONCURRENT_READS = 16
/** Number of files after which the event loop runs, for progress and signals. */
const FILES_AT_ONCE = 64

/**
 * Returns a file or folder with its content, as entries with relative paths: `.` is the source itself. Their order
 * depends only on names. Links in a folder are kept as links and never followed. Fails with FLEET_FILE_INVALID for what cannot be copied, with CONTEXT_CHANGED for what becomes another thing meanwhile.
 */
export async function collectFiles(source: string, options: CollectOptions): Promise<ContextEntry[]> {
  try {
    return await collect(source, options)
  } catch (error) {
    const { syscall, path: unreadable } = error as NodeJS.ErrnoException
    if (syscall === undefined || unreadable === undefined) throw error
    throw refuse(unreadable, `cannot be read: ${wordFileError(error)}`, options)
  }
}

async function collect(source: string, options: CollectOptions): Promise<ContextEntry[]> {
  const real = realpathSync.native(source)
  const roots = options.mayLeave ? [options.root, real] : [options.root]
  const walk: Walk = { top: real, roots, options, found: [] }
  assertInside(real, source, walk)
  const stats = lstatSync(real)
  if (stats.isDirectory()) {
    walk.found.push({ path: '.', kind: 'folder', real })
    await findInside(real, '', walk)
  } else if (stats.isFile()) findFile(real, '.', walk)
  else throw refuse(real, 'is neither a file nor a folder', options)
  return describeAll(walk)
}

type Found =
  | { readonly path: string; readonly kind: 'folder' | 'file'; readonly real: string }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }

/** What has been collected and found so far. */
interface Walk {
  readonly top: string
  /** The folders that no path may lead out of. */
  readonly roots: readonly string[]
  readonly options: CollectOptions
  readonly found: Found[]
}

async function findInside(folder: string, prefix: string, walk: Walk): Promise<void> {
  const { roots, options, found } = walk
  for (const member of await listInside(folder, roots)) {
    options.signal?.throwIfAborted()
    if (found.length % FILES_AT_ONCE === FILES_AT_ONCE - 1) await pause()
    await findMember(member, join(folder, member.name), prefix + member.name, walk)
  }
}

async function findMember(member: Member, real: string, path: string, walk: Walk): Promise<void> {
  const { top, options, found } = walk
  const shown = slashPath(top, real)
  const isIgnored = options.ignore?.ignores(shown) ?? false
  if (member.kind === 'folder') {
    if (!isIgnored) found.push({ path, kind: 'folder', real })
    if (!isIgnored || options.ignore?.mayKeepInside(shown)) await findInside(real, `${path}/`, walk)
  } else if (isIgnored) return
  else if (member.kind === 'link') found.push({ path, kind: 'link', target: member.target.split(sep).join('/') })
  else if (member.kind === 'file') findFile(real, path, walk)
  else options.onLeftOut?.(slashPath(options.root, real))
}

/** Counted before it is read, so that an excess is reported at once. */
function findFile(real: string, path: string, { top, options, found }: Walk): void {
  const { size } = lstatSync(real)
  const [first = ''] = relative(top, real).split(sep)
  options.size?.add(relative(options.root, join(top, first)), size, options.at)
  found.push({ path, kind: 'file', real })
}

async function describeAll({ found, roots, options }: Walk): Promise<ContextEntry[]> {
  const entries: ContextEntry[] = new Array(found.length)
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < found.length; index = next++) {
      const one = found[index]
      if (index % FILES_AT_ONCE === FILES_AT_ONCE - 1) await pause()
      if (one !== undefined) entries[index] = await describeFound(one, roots, options)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_READS }, work))
  return entries
}

async function describeFound(found: Found, roots: readonly string[], options: CollectOptions): Promise<ContextEntry> {
  const { path } = found
  if (found.kind === 'link') return { kind: 'link', path, mode: 0o777, target: found.target }
  const { kind, real } = found
  return withOpened(real, kind, roots, async (opened): Promise<ContextEntry> => {
    const mode = chooseMode(kind, Number(opened.stats.mode), options)
    if (kind === 'folder') return { kind, path, mode }
    const content = await digestFile(readOpened(opened), options.signal)
    return { kind, path, mode, source: real, roots, ...content, modifiedAtS: contentTimeS(content.digest) }
  })
}

/** Checkouts that differ only by their umask, 002 or 022, give the same images. */
const KEPT_BITS = 0o755

function chooseMode(kind: 'folder' | 'file', found: number, { mode, isShipped = false }: CollectOptions): number {
  // Users who may read a folder's files may enter the folder.
  if (mode !== undefined) return kind === 'folder' ? mode | ((mode & 0o444) >> 2) : mode
  if (isShipped) return kind === 'folder' || (found & 0o111) !== 0 ? 0o755 : 0o644
  return found & KEPT_BITS
}

async function digestFile(
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): Promise<{ digest: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    hash.update(chunk)
    sizeBytes += chunk.length
  }
  return { digest: hash.digest('hex'), sizeBytes }
}

function assertInside(real: string, shown: string, { roots, options }: Walk): void {
  if (!roots.some((root) => isInside(real, root))) throw refuse(shown, "leads out of the fleet's folder", options)
}

function refuse(path: string, why: string, { root, at }: CollectOptions): TestfleetError {
  return new TestfleetError('FLEET_FILE_INVALID', `${relative(root, path)} ${why}`, {
    at,
    hint: "What is copied are files and folders within the fleet's folder; nothing was touched.",
  })
}

/**
 * Upper limits of a context: more is hardly ever intended, such as a folder of packages or results. A header of tar has room for
 * the size of a file below 8 GiB.
 */
const LIMITS = { files: 200_000, bytes: 8 * 1024 ** 3 - 1 }
const NAMED_FOLDERS = 3

export interface ContextSize {
  /** Counts a file of the context. `folder` is named in the message about too many or too large files. */
  add(folder: string, bytes: number, at: Position | undefined): void
}

type Size = Record<keyof typeof LIMITS, number>

/** Size of one build's context so far. `add` fails with FLEET_FILE_INVALID once it is too large. */
export function countContext(limits: Size = LIMITS): ContextSize {
  const folders = new Map<string, Size>()
  const total = { files: 0, bytes: 0 }
  const nameLargest = (by: keyof Size, format: (value: number) => string): string => {
    const largest = [...folders].sort(([, a], [, b]) => b[by] - a[by]).slice(0, NAMED_FOLDERS)
    return largest.map(([folder, size]) => `${folder} (${format(size[by])})`).join(', ')
  }
  return {
    add(folder, bytes, at) {
      const one = folders.get(folder) ?? { files: 0, bytes: 0 }
      folders.set(folder, one)
      for (const size of [one, total]) {
        size.files += 1
        size.bytes += bytes
      }
      if (total.files > limits.files) throw tooLarge(`${limits.files} files`, nameLargest('files', String), at)
      if (total.bytes > limits.bytes) throw tooLarge(formatBytes(limits.bytes), nameLargest('bytes', formatBytes), at)
    },
  }
}

function tooLarge(limit: string, largest: string, at: Position | undefined): TestfleetError {
  const message = `what is copied has more than ${limit}, so far most of them from ${largest}`
  return new TestfleetError('FLEET_FILE_INVALID', message, {
    at,
    hint: 'Copy only the files and folders that the server needs; beside a Dockerfile of your own, `.dockerignore` keeps the others out.',
  })
}

function formatBytes(bytes: number): string {
  const power = [1, 2, 3].findLast((exponent) => bytes >= 1024 ** exponent) ?? 0
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${['bytes', 'KiB', 'MiB', 'GiB'][power]}`
}
