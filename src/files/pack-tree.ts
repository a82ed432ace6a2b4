import { lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createTarPacker, type TarHeader } from 'modern-tar'
import { changed, listInside, readOpened, withOpened } from './inside.ts'

/** A file, folder or link of this machine to be copied. */
export interface TreeToPack {
  /** Absolute path, without links on the way. A link at its end is packed as a link. */
  readonly source: string
  /** Name of its entry in the archive; empty puts the members of a folder at the top. */
  readonly name: string
  /** Whether entries keep the user and group ids of their owners. Otherwise they belong to root. */
  readonly keepsOwners: boolean
}

export interface Copied {
  readonly files: number
  readonly bytes: number
}

export interface Packed {
  readonly archive: Readable
  /** Returns what was packed; complete once the archive has ended. */
  readonly counted: () => Copied
}

interface Stats {
  readonly mode: number | bigint
  readonly mtimeMs: number | bigint
  readonly uid: number | bigint
  readonly gid: number | bigint
}

/**
 * Packs a file, a link, or a folder with everything in it as a tar stream, with modes and times. Reads only as fast as
 * the stream is read. Links are packed, and never followed. Fails with CONTEXT_CHANGED for a file that changes while it
 * is read. `onLeftOut` receives the paths of sockets, pipes and devices.
 */
export function packTree(tree: TreeToPack, onLeftOut: (path: string) => void): Packed {
  const { readable, controller } = createTarPacker()
  let [files, bytes] = [0, 0]
  const headerOf = (stats: Stats, name: string, rest: Pick<TarHeader, 'type' | 'size' | 'linkname'>): TarHeader => ({
    ...rest,
    name,
    mode: Number(stats.mode) & 0o7777,
    mtime: new Date(Number(stats.mtimeMs)),
    uid: tree.keepsOwners ? Number(stats.uid) : 0,
    gid: tree.keepsOwners ? Number(stats.gid) : 0,
  })
  const packFile = (path: string, name: string): Promise<void> =>
    withOpened(path, 'file', [tree.source], async (opened) => {
      const size = Number(opened.stats.size)
      const writer = controller.add(headerOf(opened.stats, name, { type: 'file', size })).getWriter()
      let left = size
      for await (const chunk of readOpened(opened)) {
        left -= chunk.length
        if (left < 0) throw changed(path)
        await writer.write(chunk)
      }
      if (left > 0) throw changed(path)
      await writer.close()
      files += 1
      bytes += size
    })
  const packFolder = async (path: string, name: string): Promise<void> => {
    if (name !== '') {
      await controller.add(headerOf(lstatSync(path), `${name}/`, { type: 'directory', size: 0 })).close()
    }
    for (const member of await listInside(path, [tree.source])) {
      await pack(join(path, member.name), name === '' ? member.name : `${name}/${member.name}`)
    }
  }
  const pack = async (path: string, name: string): Promise<void> => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined) throw changed(path)
    if (stats.isDirectory()) await packFolder(path, name)
    else if (stats.isFile()) await packFile(path, name)
    else if (stats.isSymbolicLink()) {
      await controller.add(headerOf(stats, name, { type: 'symlink', size: 0, linkname: readlinkSync(path) })).close()
      files += 1
    } else onLeftOut(path)
  }
  pack(tree.source, tree.name).then(
    () => controller.finalize(),
    (error) => controller.error(error),
  )
  const archive = Readable.fromWeb(readable as import('node:stream/web').ReadableStream)
  return { archive, counted: () => ({ files, bytes }) }
}
