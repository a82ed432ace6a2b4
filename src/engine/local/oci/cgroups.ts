import { readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { markProcess } from '../processes.ts'
import { sendSignal } from '../send-signal.ts'
import { undefinedIfGone } from '../store.ts'

/** The control groups of this machine. */
export interface Cgroups {
  /** Where each controller of version 1 is mounted; empty with version 2. */
  readonly controllers: ReadonlyMap<string, string>
  /** Where any of them is mounted. */
  readonly mounts: readonly string[]
  /** Where version 2 is mounted; undefined when it is not, or has no controllers beside version 1. */
  readonly unified: string | undefined
  /** Whether version 1 and version 2 are mounted at once. */
  readonly isHybrid: boolean
}

/** Folder of all containers' cgroups, below each mount. */
const PARENT = 'testfleet'

export function cgroupPath(id: string): string {
  return `/${PARENT}/${id}`
}

/** Reads how cgroups are mounted, which does not change. */
export function findCgroups(): Promise<Cgroups> {
  found ??= readFile('/proc/self/mounts', 'utf8').then(readCgroups)
  return found
}

let found: Promise<Cgroups> | undefined

/** Reads the lines of /proc/self/mounts. */
export function readCgroups(text: string): Cgroups {
  const controllers = new Map<string, string>()
  let unified: string | undefined
  for (const line of text.split('\n')) {
    const [, at = '', type, options = ''] = line.split(' ')
    if (type === 'cgroup2') unified ??= at
    if (type === 'cgroup')
      for (const option of options.split(',')) if (!controllers.has(option)) controllers.set(option, at)
  }
  const isHybrid = unified !== undefined && controllers.size > 0
  const all = [...new Set([...controllers.values(), ...(unified === undefined ? [] : [unified])])]
  return { controllers, mounts: all, unified: isHybrid ? undefined : unified, isHybrid }
}

/** Folder of a container's cgroup, in the hierarchy that has this controller of version 1, or in the only one. */
export function cgroupFolder({ controllers, unified }: Cgroups, id: string, controller: string): string | undefined {
  const at = unified ?? controllers.get(controller)
  return at === undefined ? undefined : join(at, cgroupPath(id))
}

/**
 * Removes the cgroup of a container, and kills what is still in it: a call that has died may not have noted all that it
 * started. The kernel may need a moment to see that processes have ended.
 */
export async function removeCgroups({ mounts }: Cgroups, id: string): Promise<void> {
  await Promise.all(mounts.map((at) => removeCgroup(join(at, cgroupPath(id)), Date.now() + MOST_MS)))
}

const MOST_MS = 5000

async function removeCgroup(folder: string, untilMs: number): Promise<void> {
  for (let pauseMs = 1; ; pauseMs *= 2) {
    try {
      return await rmdir(folder)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if ((code !== 'EBUSY' && code !== 'ENOTEMPTY') || Date.now() > untilMs) throw error
    }
    const entries = (await readdir(folder, { withFileTypes: true }).catch(undefinedIfGone)) ?? []
    const inner = entries.filter((entry) => entry.isDirectory())
    await killAll(folder)
    await Promise.all(inner.map(({ name }) => removeCgroup(join(folder, name), untilMs)))
    await sleep(pauseMs)
  }
}

async function killAll(folder: string): Promise<void> {
  const text = (await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(undefinedIfGone)) ?? ''
  for (const line of text.split('\n')) {
    const mark = /^[1-9]\d*$/.test(line) ? await markProcess(Number(line)) : undefined
    // A process of another namespace is shown as 0.
    if (mark !== undefined) await sendSignal(mark, 'SIGKILL')
  }
}
