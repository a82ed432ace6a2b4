import { lstatSync, realpathSync } from 'node:fs'
import { basename, dirname, join, posix, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { ifThere } from '../files/inside.ts'
import { type Copied, packTree } from '../files/pack-tree.ts'
import { copyFailed } from '../files/unpack-tree.ts'
import { say } from '../model/surface.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tools } from '../tools.ts'
import { decideArrival, readEnd, readServerPath, requireOnDisk } from './copy-paths.ts'

export interface CopyOptions {
  /** Copies the target of a link, if the source itself is a link. Links inside a folder are kept as links. */
  readonly followsLink: boolean
  /** Keeps numeric owners. Otherwise copies in a server belong to root, and copies on this machine to the caller. */
  readonly keepsOwners: boolean
}

/** The container of a server. */
export interface Place {
  readonly server: string
  readonly container: string
}

/** Copies a file or folder of this machine into a server, as `docker cp` does. Fails with COPY_FAILED. */
export async function copyIntoServer(
  from: string,
  to: string,
  place: Place,
  { followsLink, keepsOwners }: CopyOptions,
  { runtime, host, signal, onEvent }: Pick<Tools, 'runtime' | 'host' | 'signal' | 'onEvent'>,
): Promise<Copied> {
  const source = findSource(from, host.workingFolder, followsLink)
  const given = readServerPath(to)
  const target = await followServerPath(given.path, place, runtime, signal)
  const { folder, name } = decideArrival({
    from: source,
    to: { ...target, isFolder: given.isFolder },
    parent: posix.dirname(target.path),
    last: posix.basename(target.path),
    where: `in ${place.server}`,
  })
  await requireFolder(folder, place, runtime, signal)
  const { archive, counted } = packTree({ source: source.path, name, keepsOwners }, (path) =>
    onEvent({ kind: 'warned', message: `${path} is not copied: it is a socket, a pipe or a device` }),
  )
  await deliver(archive, folder, place, runtime, signal)
  return counted()
}

/** Unpacks a tar stream into a folder of a server. Owners and modes are those of the stream. */
export async function unpackIntoServer(
  archive: Readable,
  to: string,
  place: Place,
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
): Promise<void> {
  const { path } = await followServerPath(readServerPath(to).path, place, runtime, signal)
  await requireFolder(path, place, runtime, signal)
  await deliver(archive, path, place, runtime, signal)
}

async function deliver(archive: Readable, folder: string, place: Place, runtime: Runtime, signal: AbortSignal) {
  try {
    await runtime.deliver(place.container, folder, archive, { signal })
  } finally {
    archive.destroy()
  }
}

function findSource(from: string, workingFolder: string, followsLink: boolean) {
  const { isContents, isFolder } = readEnd(from)
  const given = resolve(workingFolder, from)
  // Links within the path belong to the caller. A link at its end may be the thing to copy.
  const isFollowed = followsLink || isFolder
  const path = isFollowed
    ? ifThere<string>(realpathSync.native, given)
    : ifThere((it) => join(realpathSync.native(dirname(it)), basename(it)), given)
  const stats = path === undefined ? undefined : ifThere(lstatSync, path)
  if (path === undefined || stats === undefined) throw copyFailed(`there is no file or folder ${from} on this machine`)
  const kind = stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'file'
  if (kind === 'file' && !stats.isFile()) throw copyFailed(`${from} is a socket, a pipe or a device`)
  if (isFolder && kind !== 'folder') throw copyFailed(`${from} is not a folder`)
  return { path, kind, name: basename(given), isContents } as const
}

/** Returns what is at a path of a server, and its real path. */
export async function followServerPath(
  path: string,
  { container, server }: Place,
  runtime: Pick<Runtime, 'statPath'>,
  signal: AbortSignal,
): Promise<{ readonly path: string; readonly kind: 'file' | 'folder' | undefined }> {
  requireOnDisk(path, server)
  const found = await runtime.statPath(container, path, { signal })
  if (found?.kind !== 'link') return { path, kind: found?.kind }
  const { target } = found
  requireOnDisk(target, server)
  const end = await runtime.statPath(container, target, { signal })
  if (end?.kind === 'link') throw copyFailed(`${path} of ${server} is a link that leads nowhere`)
  return { path: target, kind: end?.kind }
}

async function requireFolder(folder: string, place: Place, runtime: Runtime, signal: AbortSignal): Promise<void> {
  const { kind } = await followServerPath(folder, place, runtime, signal)
  if (kind === 'folder') return
  const why = kind === undefined ? `there is no folder ${folder} in ${place.server}` : `${folder} is not a folder`
  throw copyFailed(why, `Create it first: ${say('exec', place.server, `mkdir -p ${folder}`)}.`)
}
