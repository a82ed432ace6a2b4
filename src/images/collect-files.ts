import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { TestfleetError } from '../model/failures.ts'
import { wordFileError } from '../model/file-error.ts'
import type { Position } from '../model/fleet.ts'
import { isInside } from '../model/inside.ts'
import type { ContextEntry } from '../model/plan.ts'

export interface CollectOptions {
  /** The fleet's folder, its own links resolved: no path may lead out of it. */
  readonly root: string
  /** Whether what is collected may lie elsewhere; what is in it may then lead to itself, too. */
  readonly mayLeave?: boolean | undefined
  /** Where in the fleet file they are asked for. */
  readonly at?: Position | undefined
  /** Permission bits for every file; undefined keeps whether it can be executed, and nothing else of it. */
  readonly mode?: number | undefined
  /** Whether a path, relative to what is collected, stays out. */
  readonly isIgnored?: ((path: string) => boolean) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Files are read this many at a time. */
const CONCURRENT_READS = 16

/**
 * A file or folder, with all that is in it, as entries of a build context at `path`. Order depends on names alone.
 * Fails with FLEET_FILE_INVALID for what cannot be copied.
 */
export async function collectFiles(source: string, path: string, options: CollectOptions): Promise<ContextEntry[]> {
  try {
    return await collect(source, path, options)
  } catch (error) {
    const { syscall, path: unreadable } = error as NodeJS.ErrnoException
    if (syscall === undefined || unreadable === undefined) throw error
    throw refuse(unreadable, `cannot be read: ${wordFileError(error)}`, options)
  }
}

async function collect(source: string, path: string, options: CollectOptions): Promise<ContextEntry[]> {
  const real = await realpath(source)
  if (!options.mayLeave) assertInside(real, real, source, options)
  const stats = await stat(real)
  if (!stats.isDirectory()) return [await describeFile(real, path, stats, options)]
  const found: Found[] = [{ path, kind: 'folder' }]
  await findInside(real, real, path, found, options)
  return describeAll(found, options)
}

type Found =
  | { readonly path: string; readonly kind: 'folder' }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'file'; readonly real: string }

async function findInside(
  folder: string,
  top: string,
  path: string,
  found: Found[],
  options: CollectOptions,
): Promise<void> {
  const members = await readdir(folder, { withFileTypes: true })
  for (const member of members.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    options.signal?.throwIfAborted()
    const real = join(folder, member.name)
    const memberPath = `${path}/${member.name}`
    const isIgnored = options.isIgnored?.(relative(top, real).split(sep).join('/')) ?? false
    if (member.isDirectory()) {
      // What is in an ignored folder can still be taken back by an exception.
      if (!isIgnored) found.push({ path: memberPath, kind: 'folder' })
      await findInside(real, top, memberPath, found, options)
    } else if (isIgnored) {
    } else if (member.isSymbolicLink()) found.push(await describeLink(real, top, memberPath, options))
    else if (member.isFile()) found.push({ path: memberPath, kind: 'file', real })
    else throw refuse(real, 'is neither a file, a folder nor a link', options)
  }
}

/** A link inside of what is copied stays a link; one to a file elsewhere in the fleet's folder becomes that file. */
async function describeLink(link: string, top: string, path: string, options: CollectOptions): Promise<Found> {
  const target = await readlink(link)
  const end = resolve(dirname(link), target)
  if (!isAbsolute(target) && isInside(end, top)) return { path, kind: 'link', target: target.split(sep).join('/') }
  const real = await realpath(link).catch(() => {
    throw refuse(link, `is a link to ${target}, which is not there`, options)
  })
  assertInside(real, top, link, options)
  if (!(await stat(real)).isFile())
    throw refuse(link, `is a link to ${target}; only links to files can be followed`, options)
  return { path, kind: 'file', real }
}

async function describeAll(found: readonly Found[], options: CollectOptions): Promise<ContextEntry[]> {
  const entries: ContextEntry[] = new Array(found.length)
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < found.length; index = next++) {
      const one = found[index]
      if (one !== undefined) entries[index] = await describeFound(one, options)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_READS }, work))
  return entries
}

async function describeFound(found: Found, options: CollectOptions): Promise<ContextEntry> {
  if (found.kind === 'folder') return { kind: 'folder', path: found.path, mode: folderMode(options.mode) }
  if (found.kind === 'link') return { kind: 'link', path: found.path, mode: 0o777, target: found.target }
  return describeFile(found.real, found.path, await lstat(found.real), options)
}

async function describeFile(
  real: string,
  path: string,
  stats: { mode: number; isFile(): boolean },
  options: CollectOptions,
): Promise<ContextEntry> {
  if (!stats.isFile()) throw refuse(real, 'is neither a file nor a folder', options)
  const mode = options.mode ?? ((stats.mode & 0o111) === 0 ? 0o644 : 0o755)
  const { digest, sizeBytes } = await digestFile(real, options.signal)
  return { kind: 'file', path, mode, source: real, sizeBytes, digest }
}

/** Who may read a folder's files may enter it. */
function folderMode(mode: number | undefined): number {
  return mode === undefined ? 0o755 : mode | ((mode & 0o444) >> 2)
}

async function digestFile(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ digest: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  await pipeline(
    createReadStream(path),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk)
        sizeBytes += chunk.length
      }
    },
    { signal },
  )
  return { digest: hash.digest('hex'), sizeBytes }
}

function assertInside(real: string, top: string, shown: string, options: CollectOptions): void {
  if (isInside(real, options.root) || (options.mayLeave && isInside(real, top))) return
  throw refuse(shown, "leads out of the fleet's folder", options)
}

function refuse(path: string, why: string, { root, at }: CollectOptions): TestfleetError {
  return new TestfleetError('FLEET_FILE_INVALID', `${relative(root, path)} ${why}`, {
    at,
    hint: "What is copied are files, folders, and links that stay within the fleet's folder; nothing was touched.",
  })
}
