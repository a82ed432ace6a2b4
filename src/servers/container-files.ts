import { posix } from 'node:path'
import type { CallOptions } from '../engine/engine.ts'
import { isFailure } from '../model/failures.ts'
import type { FileOwner } from '../model/plan.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** As many as Linux follows, roughly; a circle ends too. */
const MAX_LINKS = 20

/** The text of a container's file, its links followed; undefined where there is none. */
export async function readContainerFile(
  runtime: Runtime,
  containerId: string,
  path: string,
  maxBytes: number,
  options: CallOptions,
): Promise<string | undefined> {
  let place = path
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const archive = await runtime.fetch(containerId, place, maxBytes, options).catch((error: unknown) => {
      if (isFailure(error, 'NOT_FOUND')) return undefined
      throw error
    })
    if (archive === undefined) return undefined
    // Few servers have files that are read.
    const { unpackTar } = await import('modern-tar')
    const [entry] = await unpackTar(archive)
    if (entry?.header.type === 'file') return Buffer.from(entry.data ?? []).toString('utf8')
    if (entry?.header.type !== 'symlink') return undefined
    place = posix.resolve(posix.dirname(place), entry.header.linkname ?? '')
  }
  return undefined
}

const MAX_LIST_BYTES = 1024 * 1024

/**
 * The numbers of `user` or `user:group`, by name or number, as the container's own lists have them; undefined for a name
 * that they lack. An empty text is root.
 */
export async function findUser(
  text: string,
  containerId: string,
  runtime: Runtime,
  options: CallOptions,
): Promise<FileOwner | undefined> {
  const [user = '', group] = text.split(':')
  const read = async (path: string): Promise<string[][]> => {
    const list = await readContainerFile(runtime, containerId, path, MAX_LIST_BYTES, options)
    return (list ?? '').split('\n').map((line) => line.split(':'))
  }
  const isRoot = user === '' || user === '0' || user === 'root'
  const account = isRoot ? ['root', '', '0', '0'] : findEntry(await read('/etc/passwd'), user)
  const uid = account?.[2] ?? user
  const gid =
    group === undefined
      ? (account?.[3] ?? '0')
      : isNumber(group)
        ? group
        : findEntry(await read('/etc/group'), group)?.[2]
  if (gid === undefined || !isNumber(uid) || !isNumber(gid)) return undefined
  return { uid: Number(uid), gid: Number(gid) }
}

/** The line of a name, or of a number. */
function findEntry(lines: readonly string[][], wanted: string): string[] | undefined {
  return lines.find(([name]) => name === wanted) ?? lines.find(([, , number]) => number === wanted)
}

function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text)
}
