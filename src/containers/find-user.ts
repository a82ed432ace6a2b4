import type { CallOptions, Engine } from '../engine/engine.ts'
import type { FileOwner } from '../model/plan.ts'
import { readContainerFile } from './container-files.ts'

const MAX_LIST_BYTES = 1024 * 1024

/**
 * The numbers of `user` or `user:group`, by name or number, as the container's own lists have them; undefined for a name
 * that they lack. An empty text is root.
 */
export async function findUser(
  text: string,
  containerId: string,
  engine: Engine,
  options: CallOptions,
): Promise<FileOwner | undefined> {
  const [user = '', group] = text.split(':')
  const read = async (path: string): Promise<string[][]> => {
    const list = await readContainerFile(engine, containerId, path, MAX_LIST_BYTES, options)
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
