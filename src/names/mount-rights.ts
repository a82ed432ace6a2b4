import { readFile } from 'node:fs/promises'
import type { Host } from '../model/host.ts'

/** What has to be known of this process so that a program gets names. */
export type NamingHost = Pick<
  Host,
  'workingFolder' | 'temporaryFolder' | 'environment' | 'platform' | 'userId' | 'groupId' | 'nodeHookFile'
>

/** Why a command cannot have a private /etc/hosts, as a clause. */
export interface Unsupported {
  readonly unsupportedReason: string
}

/**
 * Rights of this process. `root` may mount; `user` may mount in a user namespace; with `mixed` rights, a command would
 * lose or gain some in a user namespace. `missing` lists the capabilities that this process can never get.
 */
type Rights = { readonly kind: 'root' | 'user'; readonly missing: readonly number[] } | { readonly kind: 'mixed' }

export type MountRights = Exclude<Rights, { kind: 'mixed' }>

/** Bit of CAP_SYS_ADMIN, which allows mounting. */
const SYS_ADMIN = 21n

/** Reads the rights for a mount, or returns why it would fail. */
export async function findMountRights(host: NamingHost): Promise<MountRights | Unsupported> {
  if (host.platform !== 'linux') return { unsupportedReason: 'only Linux can give a program a private /etc/hosts' }
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
  const last = Number.parseInt(await read('/proc/sys/kernel/cap_last_cap'), 10)
  const rights = readRights(await read('/proc/self/status'), host.userId ?? -1, Number.isNaN(last) ? 40 : last)
  if (rights.kind === 'mixed') {
    return host.userId === 0
      ? { unsupportedReason: 'this root may not mount (it lacks CAP_SYS_ADMIN, as in a container)' }
      : { unsupportedReason: 'this process has capabilities that its command would lose in a user namespace' }
  }
  if (rights.kind === 'root') return rights
  for (const name of ['user/max_user_namespaces', 'kernel/unprivileged_userns_clone']) {
    if ((await read(`/proc/sys/${name}`)).trim() !== '0') continue
    return { unsupportedReason: `this system allows users no namespaces (${name.replace('/', '.')} is 0)` }
  }
  return rights
}

/** Explains why a mount failed with this message. */
export async function explainRefusal(words: string, { kind }: MountRights): Promise<string> {
  const restriction = await readFile('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', 'utf8').catch(() => '')
  const why =
    kind === 'user' && restriction.trim() === '1' ? ' (kernel.apparmor_restrict_unprivileged_userns is 1)' : ''
  return `this system allows no private /etc/hosts${why}: ${words}`
}

/** Reads the text of /proc/self/status. `last` is the number of the last capability that the system knows. */
export function readRights(status: string, userId: number, last: number): Rights {
  const effective = readSet(status, 'CapEff')
  const bounding = readSet(status, 'CapBnd')
  const numbers = Array.from({ length: last + 1 }, (_, number) => number)
  const missing = numbers.filter((number) => !has(bounding, BigInt(number)))
  if (userId === 0) return has(effective, SYS_ADMIN) ? { kind: 'root', missing } : { kind: 'mixed' }
  // Ambient capabilities are passed on to programs, and a user namespace would drop them.
  return readSet(status, 'CapAmb') === 0n ? { kind: 'user', missing } : { kind: 'mixed' }
}

function readSet(status: string, name: string): bigint {
  return BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`)
}

function has(set: bigint, number: bigint): boolean {
  return ((set >> number) & 1n) === 1n
}
