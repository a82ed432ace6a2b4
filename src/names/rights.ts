/**
 * Who this process is to the system. `root` can give a program a view of files of its own without more ado; `user` needs a
 * user namespace for it; with `mixed` rights neither works without taking some of them away, or giving more.
 */
export type Rights =
  | { readonly kind: 'root' | 'user'; readonly missing: readonly number[] }
  | { readonly kind: 'mixed' }

/** The bit of CAP_SYS_ADMIN, which may mount. */
const SYS_ADMIN = 21n

/** From the text of /proc/self/status. `last` is the number of the last capability that the system knows. */
export function readRights(status: string, userId: number, last: number): Rights {
  const effective = readSet(status, 'CapEff')
  const bounding = readSet(status, 'CapBnd')
  const numbers = Array.from({ length: last + 1 }, (_, number) => number)
  const missing = numbers.filter((number) => !has(bounding, BigInt(number)))
  if (userId === 0) return has(effective, SYS_ADMIN) ? { kind: 'root', missing } : { kind: 'mixed' }
  // What another program of this user keeps when it is started: a user namespace would take it away.
  return readSet(status, 'CapAmb') === 0n ? { kind: 'user', missing } : { kind: 'mixed' }
}

function readSet(status: string, name: string): bigint {
  return BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`)
}

function has(set: bigint, number: bigint): boolean {
  return ((set >> number) & 1n) === 1n
}
