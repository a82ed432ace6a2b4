/** What reads one of a container's lists: `/etc/passwd` or `/etc/group`. Undefined when it has none. */
export type ReadList = (path: string) => Promise<string | undefined>

export type OwnerSearch =
  | { readonly kind: 'found'; readonly uid: number; readonly gid: number }
  | { readonly kind: 'missing'; readonly what: 'user' | 'group'; readonly name: string }

/**
 * The numbers of `user` or `user:group`, by name or number, as the lists have them. `groupOf` gives the group of a number
 * that they lack. An empty text is root.
 */
export async function findOwner(
  text: string,
  read: ReadList,
  groupOf: (uid: number) => number = () => 0,
): Promise<OwnerSearch> {
  const [user = '', group] = text.split(':')
  const isRoot = user === '' || user === '0' || user === 'root'
  const account = isRoot ? ['root', '', '0', '0'] : findEntry(await read('/etc/passwd'), user)
  const uid = account?.[2] ?? user
  if (!isNumber(uid)) return { kind: 'missing', what: 'user', name: user }
  const own = account?.[3] ?? String(groupOf(Number(uid)))
  const gid = group === undefined || isNumber(group) ? (group ?? own) : findEntry(await read('/etc/group'), group)?.[2]
  if (gid === undefined || !isNumber(gid)) return { kind: 'missing', what: 'group', name: group ?? user }
  return { kind: 'found', uid: Number(uid), gid: Number(gid) }
}

/** The line of a name, or of a number. */
function findEntry(list: string | undefined, wanted: string): string[] | undefined {
  const lines = (list ?? '').split('\n').map((line) => line.split(':'))
  return lines.find(([name]) => name === wanted) ?? lines.find(([, , number]) => number === wanted)
}

function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text)
}
