import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'

/** How many further ids a user may use in namespaces. */
export interface SubordinateIds {
  readonly users: number
  readonly groups: number
}

/** Counts the ids of /etc/subuid and /etc/subgid that belong to a user, by name or number. */
export async function countSubordinateIds(userId: number, name: string | undefined): Promise<SubordinateIds> {
  const [users, groups] = await Promise.all(
    ['/etc/subuid', '/etc/subgid'].map(async (file) => {
      const text = await readFile(file, 'utf8').catch(() => '')
      return countIds(text, userId, name)
    }),
  )
  return { users: users ?? 0, groups: groups ?? 0 }
}

/** Each line of these files is `owner:first:count`. */
export function countIds(text: string, userId: number, name: string | undefined): number {
  let count = 0
  for (const line of text.split('\n')) {
    const [owner, first, size] = line.trim().split(':')
    if (owner !== String(userId) && (name === undefined || owner !== name)) continue
    if (/^\d+$/.test(first ?? '') && /^\d+$/.test(size ?? '')) count += Number(size)
  }
  return count
}

/** Returns the number and the name of the user of this process; without a name when the user is in no list. */
export function currentUser(): [number, string | undefined] {
  const { uid } = statSync('/proc/self')
  try {
    return [uid, userInfo().username]
  } catch {
    return [uid, undefined]
  }
}
