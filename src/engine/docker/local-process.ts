import { readFile } from 'node:fs/promises'

/** A process of a container on this machine. */
export interface LocalProcess {
  readonly pid: number
  /** Its number in the container. */
  readonly inside: number
}

/**
 * Finds a process of a container by its number on the engine's machine. Undefined where that is another machine, or a
 * virtual one: the number may then be that of any process here.
 */
export async function findLocalProcess(pid: number, container: string): Promise<LocalProcess | undefined> {
  if (pid === 0) return undefined
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  const [cgroup, status] = await Promise.all([read('cgroup'), read('status')])
  if (!cgroup.includes(container)) return undefined
  const inside = Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1])
  return inside > 1 ? { pid, inside } : undefined
}

/** Returns false for a process that belongs to another user. */
export function killLocalProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}
