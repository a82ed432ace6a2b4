import { readFile } from 'node:fs/promises'
import type { Host } from '../model/host.ts'
import { type Rights, readRights } from './rights.ts'

/** What stands against a view of /etc/hosts of the command's own, in words that go on after "as". */
export interface Obstacle {
  readonly obstacle: string
}

export type Ground = Exclude<Rights, { kind: 'mixed' }>

/** What can be read without trying: the rights with which to try, or why not to. */
export async function findGround(host: Host): Promise<Ground | Obstacle> {
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

/** What else is known when the try has failed with these words. */
export async function explainRefusal(words: string, { kind }: Ground): Promise<string> {
  const restriction = await readFile('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', 'utf8').catch(() => '')
  const why =
    kind === 'user' && restriction.trim() === '1' ? ' (kernel.apparmor_restrict_unprivileged_userns is 1)' : ''
  return `this system gives no private view of /etc/hosts${why}: ${words}`
}
