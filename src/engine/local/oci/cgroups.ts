import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The control groups of this machine. */
export interface Cgroups {
  /** Where each controller of version 1 is mounted; empty with version 2. */
  readonly controllers: ReadonlyMap<string, string>
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

/** Reads how cgroups are mounted. */
export async function findCgroups(): Promise<Cgroups> {
  return readCgroups(await readFile('/proc/self/mounts', 'utf8'))
}

/** Reads the lines of /proc/self/mounts. */
export function readCgroups(mounts: string): Cgroups {
  const controllers = new Map<string, string>()
  let unified: string | undefined
  for (const line of mounts.split('\n')) {
    const [, at = '', type, options = ''] = line.split(' ')
    if (type === 'cgroup2') unified ??= at
    if (type === 'cgroup')
      for (const option of options.split(',')) if (!controllers.has(option)) controllers.set(option, at)
  }
  const isHybrid = unified !== undefined && controllers.size > 0
  return { controllers, unified: isHybrid ? undefined : unified, isHybrid }
}

/** Folder of a container's cgroup, in the hierarchy that has this controller of version 1, or in the only one. */
export function cgroupFolder({ controllers, unified }: Cgroups, id: string, controller: string): string | undefined {
  const at = unified ?? controllers.get(controller)
  return at === undefined ? undefined : join(at, cgroupPath(id))
}
