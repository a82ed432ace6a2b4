import { setTimeout as sleep } from 'node:timers/promises'
import { readEnd } from '../engine/output-text.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Server } from '../model/fleet.ts'
import type { Runtime } from '../runtime/runtime.ts'

export type Rights = Pick<Server, 'user' | 'capAdd' | 'capDrop' | 'unsafe'>

/** A server that did not get ready, or did not stay so. */
interface FailedSubject {
  readonly server: string
  readonly containerId: string
  readonly runtime: Runtime
  readonly rights?: Rights
}

const LAST_LOG_LINES = 20
const MAX_LOG_BYTES = 64 * 1024

export async function explainDeath(
  subject: FailedSubject,
  exitCode: number,
  wantedCode: number | undefined,
  signal: AbortSignal,
  { wasReady = false }: { readonly wasReady?: boolean } = {},
): Promise<TestfleetError> {
  const isOutOfMemory = await wasOutOfMemory(subject, exitCode, signal)
  const output = await readLastLines(subject, signal)
  const how = isOutOfMemory ? 'was killed for using more memory than its limit' : `ended with exit code ${exitCode}`
  const when = wasReady ? ' after it was ready' : ' before it was ready'
  const wanted = wantedCode === undefined ? when : `; it had to end with ${wantedCode}`
  return new TestfleetError('SERVER_DIED', `${subject.server} ${how}${wanted}`, {
    server: subject.server,
    output,
    hint: hintForDeath(subject, isOutOfMemory, exitCode, wantedCode, output),
  })
}

/** What the kernel kills ends with it, for want of memory or not. */
const KILLED = 137
/** An engine may hear that memory ran out after it has heard of the end, and a busy one never does (20.10). */
const LATE_NEWS_MS = 1000
const LOOK_MS = 100

export async function wasOutOfMemory(
  { runtime, containerId }: Pick<FailedSubject, 'runtime' | 'containerId'>,
  exitCode: number,
  signal: AbortSignal,
): Promise<boolean> {
  const ask = async () => (await runtime.inspectServer(containerId, { signal })).isOutOfMemory
  const giveUpAt = performance.now() + LATE_NEWS_MS
  let isKnown = await ask()
  while (!isKnown && exitCode === KILLED && performance.now() < giveUpAt) {
    await sleep(LOOK_MS, undefined, { signal })
    isKnown = await ask()
  }
  return isKnown
}

function hintForDeath(
  subject: FailedSubject,
  isOutOfMemory: boolean,
  exitCode: number,
  wantedCode: number | undefined,
  output: readonly string[],
): string {
  if (isOutOfMemory) return 'Raise `limits.memory`.'
  if (exitCode === KILLED) return 'It was killed (SIGKILL). If nobody did that, memory ran out: raise `limits.memory`.'
  if (exitCode === 0 && wantedCode === undefined) {
    return 'Its command went into the background or had nothing to do: let it stay in the foreground, or say `ready: [{ exit: 0 }]`.'
  }
  if (output.length === 0) return 'It logged nothing: run its command by hand in the image to see why.'
  return `${hintForRefusal(subject, output) ?? 'The end of its log is above'}.`
}

/** Names the missing capabilities when the log shows that the kernel refused something. */
function hintForRefusal({ server, rights }: FailedSubject, output: readonly string[]): string | undefined {
  const missing = rights === undefined ? [] : findMissingCapabilities(output, rights)
  if (missing.length === 0) return undefined
  const what = missing.length === 1 ? 'a capability' : 'capabilities'
  return `It lacks ${what}: add \`capAdd: [${missing.join(', ')}]\` to ${server}`
}

export async function explainTimeout(
  subject: FailedSubject,
  timeoutMs: number,
  lastAnswers: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<TestfleetError> {
  const output = await readLastLines(subject, signal)
  const seen = output.length === 0 ? 'It logged nothing' : 'The end of its log is above'
  const failing = [...lastAnswers].map(([check, answer]) => `${check}: ${answer}`)
  return new TestfleetError(
    'READY_TIMEOUT',
    `${subject.server} was not ready within ${timeoutMs / 1000} s (${failing.join('; ') || 'no answer yet'})`,
    {
      server: subject.server,
      output,
      hint: `${hintForRefusal(subject, output) ?? seen}; raise \`readyTimeout\` if it only needs longer.`,
    },
  )
}

async function readLastLines(subject: FailedSubject, signal: AbortSignal): Promise<string[]> {
  const request = { follow: false, tail: LAST_LOG_LINES }
  // A log that cannot be read, as with the logging driver `none`, must not hide why the server failed.
  const text = await readEnd(subject.runtime.readLogs(subject.containerId, request, { signal }), MAX_LOG_BYTES).catch(
    () => '',
  )
  signal.throwIfAborted()
  return text.split('\n').filter((line) => line.trim() !== '')
}

/** Capabilities of a container by default (Docker 20.10 to 28). */
const USUAL = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SYS_CHROOT', 'MKNOD', 'AUDIT_WRITE', 'SETFCAP'],
]

const REFUSED = /not permitted|permission denied|must be root|unable to set/i

/** What programs log when the kernel refuses what needs the capability (capabilities(7)). */
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

/** Capabilities that the server lacks and that its log shows it was refused something for. */
export function findMissingCapabilities(lines: readonly string[], rights: Rights): string[] {
  // Only root has capabilities: another user gets none by `capAdd`.
  if (rights.unsafe.privileged || !isRoot(rights.user)) return []
  const refused = lines.filter((line) => REFUSED.test(line))
  return WORDS.flatMap(([capability, words]) =>
    refused.some((line) => words.test(line)) && !hasCapability(capability, rights) ? [capability] : [],
  )
}

function isRoot(user: string | undefined): boolean {
  return user === undefined || /^(?:root|0)(?::|$)/.test(user)
}

function hasCapability(capability: string, { capAdd, capDrop }: Rights): boolean {
  if (capAdd.includes(capability) || capAdd.includes('ALL')) return true
  return USUAL.includes(capability) && !capDrop.includes(capability) && !capDrop.includes('ALL')
}
