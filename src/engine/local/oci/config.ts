import { arch } from 'node:os'
import type { ContainerSpec } from '../../../model/container.ts'
import { capabilitiesOf, readOwnCapabilities } from './capabilities.ts'
import { cgroupPath, findCgroups } from './cgroups.ts'
import { devicesOf } from './devices.ts'
import { findLimitSupport, type LimitSupport, NO_LIMIT, resourcesOf, rlimitsOf } from './limits.ts'
import { mountsOf, type OciMount } from './mounts.ts'
import { seccompProfile } from './seccomp.ts'

export type OciSpec = Pick<
  ContainerSpec,
  | ('hostname' | 'tty' | 'readOnly' | 'limits' | 'ulimits' | 'sysctls' | 'devices' | 'init')
  | ('capAdd' | 'capDrop' | 'privileged' | 'newPrivileges')
>

export interface OciRequest {
  /** Names the cgroup. */
  readonly id: string
  readonly spec: OciSpec
  /** The program and its arguments. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingFolder: string
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
  /** Folder of the root, absolute or relative to the bundle. */
  readonly root: string
  /** Its own mounts, without the usual ones such as /proc. */
  readonly mounts: readonly OciMount[]
  /** Path of its network namespace; undefined for the network of this process. */
  readonly network: string | undefined
  /** Whether it may run 32-bit programs on a 64-bit machine. Default: true. */
  readonly has32Bit?: boolean
}

const MASKED = (
  '/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi ' +
  '/proc/timer_list /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware'
).split(' ')

const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Where the init process is, as with Docker. */
export const INIT_PATH = '/sbin/docker-init'

/**
 * Returns the text of a config.json, with what a container has that Docker makes from the same specification.
 * ENGINE_REFUSED, START_FAILED.
 */
export async function ociConfig(request: OciRequest): Promise<string> {
  const { id, spec, user, environment, network } = request
  const cgroups = await findCgroups()
  const [known, devices, support] = await Promise.all([
    readOwnCapabilities('CapBnd'),
    devicesOf(spec.devices ?? [], spec.privileged),
    findLimitSupport(cgroups),
  ])
  const capabilities = capabilitiesOf(spec, known)
  const config = {
    ociVersion: '1.0.2',
    process: {
      terminal: spec.tty ?? false,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups },
      args: spec.init ? [INIT_PATH, '--', ...request.words] : request.words,
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      cwd: request.workingFolder,
      // As with Docker, only root has them at once; another user can get them through a set-uid program.
      capabilities: {
        bounding: capabilities,
        ...(user.uid === 0 && { effective: capabilities, permitted: capabilities }),
      },
      rlimits: rlimitsOf(spec.ulimits, support),
      noNewPrivileges: !spec.newPrivileges,
    },
    root: { path: request.root, readonly: spec.readOnly },
    hostname: spec.hostname,
    mounts: mountsOf(request.mounts, spec.privileged),
    linux: {
      // In a user's namespaces, runc ignores that it may make no cgroup, but not when one is named.
      ...(support.isMachineRoot && { cgroupsPath: cgroupPath(id) }),
      namespaces: [
        ...['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        ...(network === undefined ? [] : [{ type: 'network', path: network }]),
        ...(cgroups.unified === undefined ? [] : [{ type: 'cgroup' }]),
      ],
      devices: devices.nodes,
      resources: { ...resourcesOf(spec.limits, support), devices: devices.rules },
      ...(network !== undefined && { sysctl: sysctlsOf(spec, support) }),
      ...(!spec.privileged && {
        maskedPaths: MASKED,
        readonlyPaths: READ_ONLY,
        seccomp: seccompProfile(capabilities, arch(), request.has32Bit ?? true),
      }),
    },
  }
  return JSON.stringify(config).replaceAll(`"${NO_LIMIT}"`, '18446744073709551615')
}

/** Docker opens low ports and ping to every user of a container. In a user's namespace the kernel has no such groups. */
function sysctlsOf({ sysctls }: OciSpec, { isMachineRoot }: LimitSupport): Readonly<Record<string, string>> {
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    ...(isMachineRoot && { 'net.ipv4.ping_group_range': '0 2147483647' }),
    ...sysctls,
  }
}
