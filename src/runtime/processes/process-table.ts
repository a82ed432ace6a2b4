import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'

/** The processes of this machine, on Linux. Another system needs another file. */

export interface ProcessEntry {
  readonly pid: number
  readonly parentPid: number
  /** Its process group and its session: the process ids of their leaders. */
  readonly group: number
  readonly session: number
  /** Ticks since the start of the machine. Together with the id, it identifies a process. */
  readonly startedAt: string
}

/** Whether the processes of this system can be listed. */
export function hasProcessTable(platform: NodeJS.Platform): boolean {
  return platform === 'linux'
}

/**
 * Lists the processes that run. A process that has ended and that its parent has not noticed yet is left out. Looks again
 * until nothing is new: a process could start another one and end between the list of ids and the look at its own.
 */
export function listProcesses(): Map<number, ProcessEntry> {
  const seen = new Set<string>()
  const processes = new Map<number, ProcessEntry>()
  for (let size = -1; size < seen.size; ) {
    size = seen.size
    for (const name of readdirSync('/proc')) {
      if (!isNumber(name) || seen.has(name)) continue
      seen.add(name)
      const entry = readProcess(Number(name))
      if (entry !== undefined) processes.set(entry.pid, entry)
    }
  }
  return processes
}

/** Returns a process that runs; undefined when there is none with that id. */
export function readProcess(pid: number): ProcessEntry | undefined {
  // The program's name, in brackets, may contain any character (proc_pid_stat(5)).
  const text = read(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = '', parentPid, group, session] = fields
  if (state === '' || state === 'Z' || state === 'X') return undefined
  const startedAt = fields[19] ?? ''
  return { pid, parentPid: Number(parentPid), group: Number(group), session: Number(session), startedAt }
}

/** Finds the processes of this user whose environment began with this variable, as `NAME=value`. */
export function findMarked(variable: string, userId: number | undefined): number[] {
  const mark = `\0${variable}\0`
  return readdirSync('/proc').flatMap((name) => {
    if (!isNumber(name) || !isOwn(`/proc/${name}`, userId)) return []
    return `\0${read(`/proc/${name}/environ`)}`.includes(mark) ? [Number(name)] : []
  })
}

/** Returns the program and the arguments of a process; empty when the system hides them. */
export function readCommand(pid: number): readonly string[] {
  return read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1)
}

/** Returns the name of a program that runs, as the kernel knows it; for one of Node, also that of its script. */
export function readName(pid: number): string {
  const name = read(`/proc/${pid}/comm`).trim()
  // Node 24 gives its first thread this name, and the kernel takes that for the program's.
  if (name !== 'MainThread') return name
  const [program = name, script = '-'] = readCommand(pid)
  return script.startsWith('-') ? basename(program) : `${basename(program)} ${basename(script)}`
}

/** Returns the memory that a process shares with no file, in bytes. */
export function readMemoryBytes(pid: number): number {
  return 1024 * Number(/^RssAnon:\s*(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
}

function isOwn(path: string, userId: number | undefined): boolean {
  try {
    return statSync(path).uid === userId
  } catch {
    return false
  }
}

function isNumber(name: string): boolean {
  return name >= '1' && name < ':'
}

/** Empty when the process has just ended, or belongs to another user. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/**
 * Sends a signal to processes. Those that have ended are left out. Returns those that refuse it, because they belong to
 * another user, as the command of `sudo` does.
 */
export function send(pids: Iterable<number>, signal: NodeJS.Signals): number[] {
  return [...pids].filter((pid) => {
    try {
      process.kill(pid, signal)
      return false
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ESRCH' && code !== 'EPERM') throw error
      return code === 'EPERM'
    }
  })
}

/** Names processes for a person: `postgres (process 4711)`. */
export function nameProcesses(pids: readonly number[]): string {
  return pids.map((pid) => `${readName(pid)} (process ${pid})`).join(', ')
}
