import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Change, Holder, Lifetime, Machine, ProcessIdentity } from '../model/session.ts'

/** Identifies the machine that this process runs on. */
export function readMachine(): Machine {
  return {
    name: hostname(),
    id: readLine('/etc/machine-id'),
    boot: readLine('/proc/sys/kernel/random/boot_id') || readBootOfDarwin(),
    pidSpace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    ...(ownContainer === undefined ? {} : { container: ownContainer }),
  }
}

let ownContainer: string | undefined

/** Records that this process runs in that container of the engine. */
export function noteContainer(id: string): void {
  ownContainer = id
}

/**
 * Identifies the process with that id; undefined when none runs, or when it is a zombie. The start time is unknown when
 * the system hides it: /proc may be mounted so that it shows no processes of other users (hidepid).
 */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = process.platform === 'linux' ? readLine(`/proc/${pid}/stat`) : ''
  // The program's name, in brackets, may contain any character; state is the 3rd field, the start the 22nd
  // (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat !== '') return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startedAt: fields[19] ?? '' }
  if (!exists(pid)) return undefined
  if (process.platform === 'linux' || process.platform === 'win32') return { pid, startedAt: '' }
  return { pid, startedAt: attempt(() => output('ps', ['-o', 'lstart=', '-p', String(pid)])) }
}

/** A process whose start time is hidden counts as the same one, so that no live session is removed by mistake. */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  const found = identifyProcess(pid)
  return found !== undefined && (startedAt === '' || found.startedAt === '' || found.startedAt === startedAt)
}

/** Returns the id of the process and of all its ancestors. */
export function readAncestors(pid: number): ReadonlySet<number> {
  const parents = process.platform === 'darwin' ? readParentsOfDarwin() : undefined
  const found = new Set<number>()
  for (let next = pid; next > 0 && !found.has(next); ) {
    found.add(next)
    next = parents === undefined ? readParent(next) : (parents.get(next) ?? 0)
  }
  return found
}

function readParent(pid: number): number {
  if (process.platform === 'win32') return pid === process.pid ? process.ppid : 0
  const stat = readLine(`/proc/${pid}/stat`)
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
}

function readParentsOfDarwin(): ReadonlyMap<number, number> {
  const lines = attempt(() => output('ps', ['-axo', 'pid=,ppid='])).split('\n')
  return new Map(lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]))
}

/** Returns the command line of a process; empty when the system hides it. */
export function readCommandLine(pid: number): readonly string[] {
  const text = process.platform === 'linux' ? readLine(`/proc/${pid}/cmdline`) : ''
  return text.split('\0').filter(Boolean)
}

/** Returns the folder that a process runs in; undefined when the system hides it. */
export function readWorkingFolder(pid: number | 'self'): string | undefined {
  return attempt(() => readlinkSync(`/proc/${pid}/cwd`)) || undefined
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readBootOfDarwin(): string {
  return process.platform === 'darwin' ? attempt(() => output('sysctl', ['-n', 'kern.bootsessionuuid'])) : ''
}

function readLine(path: string): string {
  return attempt(() => readFileSync(path, 'utf8').trim())
}

function output(program: string, words: readonly string[]): string {
  return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 2000 }).trim()
}

/** Returns an empty text when the system does not tell. */
function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

/** `unknown`: the process is on another machine or in a container, and cannot be seen from here. */
export type Life = 'alive' | 'dead' | 'unknown'

/** Judges whether anything still keeps a session alive, as far as this machine can tell. */
export function judgeLifetime(lifetime: Lifetime, here: Machine, nowMs: number): Life {
  switch (lifetime.kind) {
    case 'lasting':
      return 'alive'
    case 'until':
      return lifetime.untilMs > nowMs ? 'alive' : 'dead'
    case 'held':
      return judgeHolders([...lifetime.holders, ...(lifetime.keeper ? [lifetime.keeper] : [])], here)
  }
}

/** Judges whether the call that changes a session, its keeper, or the call that undoes the change is alive. */
export function judgeChange({ by, keeper, undoing }: Change, here: Machine): Life {
  const undoer = undoing !== undefined && undoing.untilMs > Date.now() ? undoing.by : undefined
  return judgeHolders(
    [by, keeper, undoer].filter((holder) => holder !== undefined),
    here,
  )
}

export function judgeHolders(holders: readonly Holder[], here: Machine): Life {
  const lives = new Set(holders.map((holder) => judgeHolder(holder, here)))
  if (lives.has('alive')) return 'alive'
  return lives.has('unknown') ? 'unknown' : 'dead'
}

function judgeHolder({ machine, process }: Holder, here: Machine): Life {
  if (machine.name !== here.name || machine.id !== here.id) return 'unknown'
  if (machine.boot !== here.boot) return machine.boot === '' || here.boot === '' ? 'unknown' : 'dead'
  if (machine.pidSpace !== here.pidSpace) return 'unknown'
  return isAlive(process) ? 'alive' : 'dead'
}
