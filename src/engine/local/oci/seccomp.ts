import { harmlessCalls } from './system-calls.ts'

/** Calls that a capability allows, as with Docker. */
const byCapability: Readonly<Record<string, string>> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_PERFMON: 'perf_event_open',
  CAP_SYSLOG: 'syslog',
  CAP_SYS_ADMIN:
    'bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree ' +
    'perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare',
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module finit_module init_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
}

/** Flags of clone(2) that make a namespace. */
const NAMESPACE_FLAGS = 0x7e020000

/** Values of personality(2) that change nothing which protects the kernel, and the one that only asks. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff]

/** Sockets between virtual machines and their host. */
const AF_VSOCK = 40

const ENOSYS = 38

/** Architectures that a machine runs: its own one, and those of its 32-bit programs. */
const architectures: Readonly<Record<string, readonly [string, ...string[]]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
}

/**
 * Returns the filter of calls to the kernel for a container with these capabilities. What it does not name is refused. The
 * runtime needs a third of a start to translate it for 32-bit programs, too; without, the kernel kills these.
 */
export function seccompProfile(capabilities: readonly string[], arch: string, has32Bit: boolean): object {
  const more = capabilities.flatMap((name) => byCapability[name]?.split(' ') ?? [])
  const mayUnshare = more.includes('clone')
  const allow = (names: readonly string[], args?: readonly object[]): object => ({
    names,
    action: 'SCMP_ACT_ALLOW',
    ...(args !== undefined && { args }),
  })
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: architectures[arch]?.slice(0, has32Bit ? undefined : 1) ?? [],
    syscalls: [
      allow([...harmlessCalls, ...(arch === 's390x' ? ['s390_pci_mmio_read', 's390_pci_mmio_write'] : []), ...more]),
      ...PERSONALITIES.map((value) => allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }])),
      allow(['socket'], [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }]),
      ...(mayUnshare
        ? []
        : [
            allow(
              ['clone'],
              // s390x has the first two arguments the other way round.
              [
                {
                  index: arch === 's390x' ? 1 : 0,
                  value: NAMESPACE_FLAGS,
                  valueTwo: 0,
                  op: 'SCMP_CMP_MASKED_EQ',
                },
              ],
            ),
            // Its flags cannot be read by a filter: programs then use clone.
            { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
          ]),
    ],
  }
}
