import type { Tmpfs } from '../../../model/fleet.ts'

/** A mount of a container's config.json. */
export interface OciMount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

/** Returns the mounts of a container in order: the usual ones, then its own, of which a deeper one comes later. */
export function mountsOf(own: readonly OciMount[], isPrivileged: boolean, hasCgroups = true): readonly OciMount[] {
  const taken = new Set(own.map(({ destination }) => destination))
  const usual = usualMounts(isPrivileged).filter(({ type }) => hasCgroups || type !== 'cgroup')
  const depth = ({ destination }: OciMount): number => destination.split('/').filter((part) => part !== '').length
  return [
    ...usual.filter(({ destination }) => !taken.has(destination)),
    ...own.toSorted((one, other) => depth(one) - depth(other)),
  ]
}

function usualMounts(isPrivileged: boolean): readonly OciMount[] {
  const access = isPrivileged ? [] : ['ro']
  const quiet = ['nosuid', 'noexec', 'nodev']
  const mount = (type: string, destination: string, options: readonly string[], source = type): OciMount => ({
    ...{ destination, type, source, options },
  })
  return [
    mount('proc', '/proc', quiet),
    mount('tmpfs', '/dev', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('devpts', '/dev/pts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('sysfs', '/sys', [...quiet, ...access]),
    mount('cgroup', '/sys/fs/cgroup', [...quiet, 'relatime', ...access]),
    mount('mqueue', '/dev/mqueue', quiet),
    mount('tmpfs', '/dev/shm', [...quiet, 'mode=1777', 'size=67108864'], 'shm'),
  ]
}

export function tmpfsMount({ to, sizeBytes, mode, uid, gid, exec = false }: Tmpfs): OciMount {
  const given = Object.entries({ size: sizeBytes, mode: mode?.toString(8), uid, gid })
  const options = given.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  return {
    ...{ destination: to, type: 'tmpfs', source: 'tmpfs' },
    options: ['nosuid', 'nodev', ...(exec ? [] : ['noexec']), ...options],
  }
}

/** Shows a file or folder of this machine at a path of the container, with all that is mounted in it. */
export function bindMount(source: string, destination: string, isWritable: boolean): OciMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', isWritable ? 'rw' : 'ro'] }
}
