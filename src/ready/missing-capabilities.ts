import type { Server } from '../model/fleet.ts'

export type Rights = Pick<Server, 'user' | 'capAdd' | 'capDrop' | 'unsafe'>

/** Default capabilities of a container (Docker 20.10 to 28). */
const USUAL = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SYS_CHROOT', 'MKNOD', 'AUDIT_WRITE', 'SETFCAP'],
]

const REFUSED = /not permitted|permission denied|must be root|unable to set/i

/** Log messages of programs that the kernel refused something for want of the capability (capabilities(7)). */
const WORDS: readonly (readonly [string, RegExp])[] = [
  ['CHOWN', /\bf?l?chown|(?:chang(?:e|ing) ownership)/i],
  ['SETGID', /set(?:e|re|res|fs)?gid\b|setgroups|initgroups|(?:set|supplementary) groups/i],
  ['SETUID', /set(?:e|re|res|fs)?uid\b|set user id/i],
  ['SYS_CHROOT', /chroot|change root directory/i],
  ['NET_BIND_SERVICE', /\bbind(?:\(\)|ing)?\b/i],
  ['NET_RAW', /raw socket|SOCK_RAW|\bping\b|icmp/i],
  ['NET_ADMIN', /iptables|nf_tables|\bnft\b|netlink|\/dev\/net\/tun|TUNSETIFF/i],
  ['MKNOD', /\bmknod/i],
  ['SYS_RESOURCE', /setrlimit|ulimit|RLIMIT_/i],
  ['SYS_NICE', /\bnice|setpriority|sched_set/i],
  ['SYS_TIME', /settimeofday|clock_settime|adjtimex|set date|set the clock/i],
  ['SYS_PTRACE', /ptrace/i],
  ['AUDIT_WRITE', /\baudit|linux_audit/i],
  ['SETFCAP', /CAP_SETFCAP|\bsetcap\b/i],
  ['SETPCAP', /PR_CAPBSET|\bcapset\b/i],
  ['KILL', /\bkill(?:\(|:)/i],
  ['SYS_ADMIN', /\bmount\b|unshare|sethostname|change the host name/i],
]

/** Returns the capabilities that the server lacks and, according to its log, needed. */
export function findMissingCapabilities(lines: readonly string[], rights: Rights): string[] {
  // Only root has capabilities: `capAdd` gives none to another user.
  if (rights.unsafe.privileged || !isRoot(rights.user)) return []
  const refused = lines.filter((line) => REFUSED.test(line))
  return WORDS.flatMap(([capability, words]) =>
    refused.some((line) => words.test(line)) && !hasCapability(capability, rights) ? [capability] : [],
  )
}

export function isRoot(user: string | undefined): boolean {
  return user === undefined || /^(?:root|0)(?::|$)/.test(user)
}

function hasCapability(capability: string, { capAdd, capDrop }: Rights): boolean {
  if (capAdd.includes(capability) || capAdd.includes('ALL')) return true
  return USUAL.includes(capability) && !capDrop.includes(capability) && !capDrop.includes('ALL')
}
