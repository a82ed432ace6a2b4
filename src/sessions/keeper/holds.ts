import type { ProcessIdentity } from '../../model/session.ts'
import { identifyProcess, isAlive } from '../processes.ts'

/** Who holds a session: connections, and processes that somebody named. */
export interface Holds {
  enter(connection: object): void
  leave(connection: object): void
  /** Whether there was such a process. */
  addProcess(wanted: { readonly pid: number; readonly startedAt?: string | undefined }): boolean
  dropProcess(pid: number): void
  /** How many there are, but for this one. */
  countBesides(connection?: object): number
}

/** How often it is looked whether named processes are alive. */
const LOOK_MS = 500

export function openHolds(onEmpty: () => void): Holds {
  const connections = new Set<object>()
  const processes = new Map<number, ProcessIdentity>()
  let clock: NodeJS.Timeout | undefined
  const check = (): void => {
    if (connections.size + processes.size === 0) onEmpty()
  }
  const look = (): void => {
    for (const process of processes.values()) if (!isAlive(process)) processes.delete(process.pid)
    if (processes.size === 0) {
      clearInterval(clock)
      clock = undefined
    }
    check()
  }
  return {
    enter: (connection) => void connections.add(connection),
    leave(connection) {
      if (connections.delete(connection)) check()
    },
    addProcess({ pid, startedAt }) {
      const found = identifyProcess(pid)
      if (found === undefined || (startedAt !== undefined && startedAt !== found.startedAt)) return false
      processes.set(pid, found)
      clock ??= setInterval(look, LOOK_MS)
      return true
    },
    dropProcess(pid) {
      if (processes.delete(pid)) look()
    },
    countBesides: (connection) =>
      connections.size + processes.size - (connection !== undefined && connections.has(connection) ? 1 : 0),
  }
}
