import { readFile } from 'node:fs/promises'
import type { Host } from '../model/host.ts'

/** Why a command cannot have its own /etc/hosts, in words that go on after "as". */
export interface Obstacle {
  readonly obstacle: string
}

/**
 * The rights of this process. `root` may mount; `user` may mount in a user namespace; with `mixed` rights a command would
 * lose or gain some in one. `missing` are the capabilities that nothing here can get.
 */
type Rights = { readonly kind: 'root' | 'user'; readonly missing: readonly number[] } | { readonly kind: 'mixed' }

export type MountRights = Exclude<Rights, { kind: 'mixed' }>

/** The bit of CAP_SYS_ADMIN, which may mount. */
const SYS_ADMIN = 21n

/** Reads the rights with which a mount can be tried, or finds out that a try is useless. */
export async function findMountRights(host: Host): Promise<MountRights | Obstacle> {
  if (host.platform !== 'linux') return { obstacle: 'only Linux can show one program an /etc/hosts of its own' }
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
  const last = Number.parseInt(await read('/proc/sys/kernel/cap_last_cap'), 10)
  const rights = readRights(await read('/proc/self/status'), host.userId ?? -1, Number.isNaN(last) ? 40 : last)
  if (rights.kind === 'mixed') {
    return host.userId === 0
      ? { obstacle: 'this root may not mount (it lacks CAP_SYS_ADMIN, as in a container)' }
      : { obstacle: 'this process has capabilities that its command would lose in a user namespace' }
  }
  if (rights.kind === 'root') return rights
  for (const name of ['user/max_user_namespaces', 'kernel/unprivileged_userns_clone']) {
    if ((await read(`/proc/sys/${name}`)).trim() !== '0') continue
    return { obstacle: `this system gives users no namespaces (${name.replace('/', '.')} is 0)` }
  }
  return rights
}

/** Says why a try failed with these words. */
export async function explainRefusal(words: string, { kind }: MountRights): Promise<string> {
  const restriction = await readFile('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', 'utf8').catch(() => '')
  const why =
    kind === 'user' && restriction.trim() === '1' ? ' (kernel.apparmor_restrict_unprivileged_userns is 1)' : ''
  return `this system gives no private view of /etc/hosts${why}: ${words}`
}

/** Reads the text of /proc/self/status. `last` is the number of the last capability that the system knows. */
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
