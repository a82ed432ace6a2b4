import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, posix, resolve } from 'node:path'
import { ifThere } from '../files/inside.ts'
import type { Copied } from '../files/pack-tree.ts'
import { copyFailed, unpackTree } from '../files/unpack-tree.ts'
import { say } from '../model/surface.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tools } from '../tools.ts'
import { decideArrival, readEnd, readServerPath } from './copy-paths.ts'
import { type CopyOptions, followServerPath, type Place } from './copy-to.ts'

/**
 * Copies a file or folder of a server to this machine, as `docker cp` does, except that no link of the copy leads out of
 * it. The server is not trusted: nothing is written outside of the target. Fails with COPY_FAILED.
 */
export async function copyFromServer(
  from: string,
  to: string,
  place: Place,
  options: CopyOptions,
  { runtime, host, signal, onEvent }: Pick<Tools, 'runtime' | 'host' | 'signal' | 'onEvent'>,
): Promise<Copied> {
  const source = await findSource(from, place, options, runtime, signal)
  const { path: given, ...target } = findTarget(to, host.workingFolder)
  const { folder, name } = decideArrival({
    from: source,
    to: { ...target, path: given },
    parent: dirname(given),
    last: basename(given),
    where: 'on this machine',
  })
  const real = ifThere<string>(realpathSync.native, folder)
  if (real === undefined || !statSync(real).isDirectory())
    throw copyFailed(`there is no folder ${folder} on this machine`)
  const leftOut: string[] = []
  const copied = await unpackTree(runtime.readArchive(place.container, source.path, { signal }), {
    path: resolve(real, name),
    topName: posix.basename(source.path),
    keepsOwners: options.keepsOwners,
    onLeftOut: (what) => leftOut.push(what),
  })
  const [first, ...others] = leftOut
  const more = others.length === 0 ? '' : `; and ${others.length} more like it`
  if (first !== undefined) onEvent({ kind: 'warned', message: `not copied: ${first}${more}` })
  return copied
}

/** Returns a file or folder of a server as a tar stream, as the engine packs it. Fails with COPY_FAILED. */
export async function* packFromServer(
  from: string,
  place: Place,
  options: CopyOptions,
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { path, isContents } = await findSource(from, place, { ...options }, runtime, signal, { mayBeLink: true })
  const end = isContents ? (path === '/' ? '.' : '/.') : ''
  yield* runtime.readArchive(place.container, path + end, { signal })
}

async function findSource(
  from: string,
  place: Place,
  { followsLink }: CopyOptions,
  runtime: Runtime,
  signal: AbortSignal,
  { mayBeLink = false }: { readonly mayBeLink?: boolean } = {},
) {
  const { path: given, isContents, isFolder } = readServerPath(from)
  const stat = await runtime.statPath(place.container, given, { signal })
  const isLink = stat?.kind === 'link'
  const follows = followsLink || isFolder
  if (isLink && mayBeLink && !follows)
    return { path: given, kind: 'link', name: posix.basename(given), isContents } as const
  if (isLink && !follows) {
    throw copyFailed(
      `${given} of ${place.server} is a link to ${stat.target}`,
      `Copy what it leads to with ${say('followLink')}.`,
    )
  }
  const { path, kind } = await followServerPath(given, place, runtime, signal)
  if (kind === undefined) throw copyFailed(`there is no file or folder ${given} in ${place.server}`)
  if (isFolder && kind !== 'folder') throw copyFailed(`${given} of ${place.server} is not a folder`)
  return { path, kind, name: posix.basename(given), isContents } as const
}

/** The caller's own links are followed. */
function findTarget(to: string, workingFolder: string) {
  const path = resolve(workingFolder, to)
  const stats = ifThere(statSync, path)
  const kind = stats === undefined ? undefined : stats.isDirectory() ? ('folder' as const) : ('file' as const)
  return { path, kind, isFolder: readEnd(to).isFolder }
}
