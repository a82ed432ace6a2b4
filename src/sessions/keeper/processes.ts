import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Machine, ProcessIdentity } from '../../model/lease.ts'

/** The machine that this runs on. */
export function readMachine(): Machine {
  return {
    name: hostname(),
    id: readLine('/etc/machine-id'),
    boot: readLine('/proc/sys/kernel/random/boot_id') || readBootOfDarwin(),
    pidSpace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  }
}

/** The process of that number, if one runs: undefined when there is none, or one that is dead and not yet buried. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = process.platform === 'linux' ? readLine(`/proc/${pid}/stat`) : ''
  // The program's name, in brackets, may hold anything; state is the 3rd field, the start the 22nd (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat !== '') return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startedAt: fields[19] ?? '' }
  if (process.platform === 'linux' || !isThere(pid)) return undefined
  if (process.platform === 'win32') return { pid, startedAt: '' }
  return { pid, startedAt: attempt(() => output('ps', ['-o', 'lstart=', '-p', String(pid)])) }
}

export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  const found = identifyProcess(pid)
  return found !== undefined && (startedAt === '' || found.startedAt === startedAt)
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's.
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

/** What a system does not say is left open. */
function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
