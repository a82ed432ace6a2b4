import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Change, Holder, Lifetime, Machine, ProcessIdentity } from '../model/session.ts'

/** The machine that this runs on. */
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

/** From then on, this machine is known to be that container of the engine. */
export function noteContainer(id: string): void {
  ownContainer = id
}

/**
 * The process of that number: undefined when none runs, or one that has ended and waits for its parent. Its start is
 * unknown where the system hides it: /proc may be mounted so that it shows no process of another user (hidepid).
 */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = process.platform === 'linux' ? readLine(`/proc/${pid}/stat`) : ''
  // The program's name, in brackets, may hold anything; state is the 3rd field, the start the 22nd (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat !== '') return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startedAt: fields[19] ?? '' }
  if (!exists(pid)) return undefined
  if (process.platform === 'linux' || process.platform === 'win32') return { pid, startedAt: '' }
  return { pid, startedAt: attempt(() => output('ps', ['-o', 'lstart=', '-p', String(pid)])) }
}

/** A process whose start cannot be seen counts as the one that is meant: nobody's session is removed by mistake. */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  const found = identifyProcess(pid)
  return found !== undefined && (startedAt === '' || found.startedAt === '' || found.startedAt === startedAt)
}

/** The process of that number, and those that it runs under. */
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

/** The words by which a process was started; none where the system hides them. */
export function readCommandLine(pid: number): readonly string[] {
  const text = process.platform === 'linux' ? readLine(`/proc/${pid}/cmdline`) : ''
  return text.split('\0').filter(Boolean)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is another user's.
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

/** Empty for what the system does not say. */
function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

/** `unknown`: the processes are on another machine, or in a container, and cannot be seen from here. */
export type Life = 'alive' | 'dead' | 'unknown'

/** Says whether anything still keeps a session, as far as can be told from this machine. */
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

/** Says whether the call that changes a session, or its keeper, still works on it. */
export function judgeChange({ by, keeper }: Change, here: Machine): Life {
  return judgeHolders(keeper === undefined ? [by] : [by, keeper], here)
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
