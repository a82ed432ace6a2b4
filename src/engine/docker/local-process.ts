import { readFile } from 'node:fs/promises'

/** Process of a container on this machine. */
export interface LocalProcess {
  readonly pid: number
  /** Process id inside the container. */
  readonly inside: number
}

/**
 * Finds a process of a container by its process id on the engine's machine. Undefined when that is another machine or a
 * virtual one, where the id could belong to any process here.
 */
export async function findLocalProcess(pid: number, container: string): Promise<LocalProcess | undefined> {
  if (pid === 0) return undefined
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  const [cgroup, status] = await Promise.all([read('cgroup'), read('status')])
  if (!cgroup.includes(container)) return undefined
  const inside = Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1])
  return inside > 1 ? { pid, inside } : undefined
}

/** Kills a process; false when it belongs to another user. */
export function killLocalProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}
