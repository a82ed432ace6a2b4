import { readFileSync, readlinkSync } from 'node:fs'
import { setImmediate as nextPhase } from 'node:timers/promises'

/**
 * Returns the id of the runner that has started this process as a worker. Ends this process if the runner is gone: its id
 * would be that of a process that never ends, and holds the fleet forever.
 */
export async function findRunner(): Promise<number> {
  const { ppid } = process
  // The end of the runner is noticed between two phases.
  await nextPhase()
  await nextPhase()
  if (!process.connected) process.exit(1)
  return ppid
}

/**
 * Whether the runner of this process has ended. A process that outlives its parent gets another one, such as process 1, which
 * would hold the fleet forever.
 */
export async function isRunnerGone(
  runner: number,
  here: Pick<NodeJS.Process, 'pid' | 'ppid' | 'connected'> = process,
): Promise<boolean> {
  if (runner === here.pid) return false
  if (here.connected === undefined) return runner !== here.ppid || !isOfThisJob(runner)
  await nextPhase()
  await nextPhase()
  return runner !== here.ppid || !here.connected
}

/** Whether a process runs the same program as this one, in the same group of processes, as the runner that started it does. */
function isOfThisJob(pid: number): boolean {
  if (process.platform !== 'linux') return pid !== 1
  const [other, own] = [readJob(pid), readJob(process.pid)]
  return other.group === own.group && (other.program ?? own.program) === own.program
}

function readJob(pid: number): { readonly group: string | undefined; readonly program: string | undefined } {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? ''
  // After the program's name in brackets: state, parent and group (proc_pid_stat(5)).
  const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { group, program: attempt(() => readlinkSync(`/proc/${pid}/exe`)) }
}

/** Programs of other users cannot be read. */
function attempt(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Ends this process soon after its runner, for runners whose workers go on with their test when the runner is killed. */
export function endWithRunner(): void {
  // A handler for the event would keep the process from ending by itself.
  setInterval(() => {
    if (!process.connected) process.exit(1)
  }, 500).unref()
}
