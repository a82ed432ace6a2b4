import type { Copied } from '../files/pack-tree.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { unknownServer } from '../model/unknown-server.ts'
import { aboutServer, gone, refuseNoContainer } from '../report/refusals.ts'
import { observeServers } from '../report/report.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { copyFromServer } from './copy-from.ts'
import { type CopyOptions, copyIntoServer, type Place } from './copy-to.ts'

/** The two ends of a copy: a path of a server, and one of this machine. */
export interface CopyEnds {
  readonly server: string
  readonly direction: 'in' | 'out'
  /** Paths as they were given. */
  readonly from: string
  readonly to: string
}

/**
 * Reads `SERVER:PATH` and a path of this machine, in either order. A path with a colon of its own begins with `/` or `./`.
 * Fails with USAGE.
 */
export function readCopyEnds(from: string, to: string): CopyEnds {
  const [source, target] = [readServerEnd(from), readServerEnd(to)]
  if (source !== undefined && target === undefined) {
    return { server: source.server, direction: 'out', from: source.path, to }
  }
  if (target !== undefined && source === undefined) {
    return { server: target.server, direction: 'in', from, to: target.path }
  }
  const why = source === undefined ? 'neither end of the copy names a server' : 'both ends of the copy name a server'
  throw new TestfleetError('USAGE', why, {
    hint: 'Write one of them as SERVER:PATH, such as db:/etc/passwd, and a path of this machine with a colon as ./a:b.',
  })
}

function readServerEnd(text: string): { readonly server: string; readonly path: string } | undefined {
  const [, server = '', path = ''] = /^([A-Za-z0-9_-]+):(.*)$/s.exec(text) ?? []
  return server === '' ? undefined : { server, path }
}

/** Copies files between this machine and a server, whether it runs or not. Fails with UNKNOWN_SERVER, NOT_FOUND, COPY_FAILED. */
export async function copyFiles(
  record: StoredRecord,
  { server, direction, from, to }: CopyEnds,
  options: CopyOptions,
  tools: Tools,
): Promise<Copied> {
  const place = await findPlace(record, server, tools)
  const copy = direction === 'in' ? copyIntoServer : copyFromServer
  return copy(from, to, place, options, tools).catch((error: unknown) => {
    throw explain(place, error)
  })
}

export async function findPlace(record: StoredRecord, server: string, tools: Tools): Promise<Place> {
  if (!Object.hasOwn(record.servers, server)) throw unknownServer(server, Object.keys(record.servers))
  refuseNoContainer(server, record.servers[server], 'cp')
  const container = (await observeServers(record, tools.runtime, tools)).get(server)?.container.id
  if (container === undefined) throw gone(server)
  return { server, container }
}

/** Errors of the operating system, such as a folder without write permission, are for the user to solve. */
export function explain({ server }: Place, error: unknown): unknown {
  if (error instanceof Error && 'syscall' in error && 'code' in error) {
    return new TestfleetError('COPY_FAILED', error.message, { server, cause: error })
  }
  // The message names the server if it matters.
  if (isFailure(error, 'COPY_FAILED')) {
    return new TestfleetError('COPY_FAILED', error.message, { server, hint: error.hint, cause: error })
  }
  return aboutServer(server, error)
}
