import { readFile } from 'node:fs/promises'
import { TestfleetError } from '../../../model/failures.ts'

/** The capabilities of Linux, in the order of their numbers. */
const ALL = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`)

/** What a container has unless it asks for more or less, as with Docker. */
const USUAL = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
)
  .split(' ')
  .map((name) => `CAP_${name}`)

export interface WantedCapabilities {
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly privileged: boolean
}

/**
 * Returns the capabilities of a container by Docker's rules, of those that there are. ENGINE_REFUSED for a name that does
 * not exist.
 */
export function capabilitiesOf(wanted: WantedCapabilities, known: readonly string[] = ALL): readonly string[] {
  const [added, dropped] = [wanted.capAdd.map(fullName), wanted.capDrop.map(fullName)]
  if (wanted.privileged) return known
  const isAll = (names: readonly string[]): boolean => names.includes('CAP_ALL')
  const start = isAll(added) ? known : isAll(dropped) ? [] : USUAL
  const left = start.filter((name) => known.includes(name) && !dropped.includes(name))
  return [...new Set([...left, ...added.filter((name) => name !== 'CAP_ALL')])]
}

/**
 * Returns the capabilities that this process has: in effect, or those that its programs can have at most. A runtime cannot
 * give others, and this process may itself be in a container.
 */
export async function readOwnCapabilities(set: 'CapEff' | 'CapBnd'): Promise<readonly string[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const bits = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1]
  if (bits === undefined) return ALL
  return ALL.filter((_, number) => (BigInt(`0x${bits}`) >> BigInt(number)) & 1n)
}

function fullName(text: string): string {
  const name = text.toUpperCase()
  const full = name.startsWith('CAP_') ? name : `CAP_${name}`
  if (full === 'CAP_ALL' || ALL.includes(full)) return full
  throw new TestfleetError('ENGINE_REFUSED', `there is no capability ${JSON.stringify(text)}`, {
    hint: 'Use a name of capabilities(7), such as NET_ADMIN.',
  })
}
