import { constants } from 'node:os'
import { isRunning, type ProcessMark } from './processes.ts'

/** Sends a signal, such as SIGTERM or SIGRTMIN+3, to a process; false when it does not run. */
export async function sendSignal(mark: ProcessMark, signal: string): Promise<boolean> {
  if (!(await isRunning(mark))) return false
  try {
    return process.kill(mark.pid, signalNumber(signal))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** The signals for programs themselves, as the C library has them for its users. */
const [FIRST_REAL_TIME, LAST_REAL_TIME] = [34, 64]

/** Returns the number of a signal by its name or number, as `readSignal` writes it; 0 for one that does not exist. */
export function signalNumber(signal: string): number {
  if (/^\d{1,2}$/.test(signal)) return Number(signal)
  const [, edge, offset] = /^SIGRTM(IN|AX)([+-]\d{1,2})?$/.exec(signal) ?? []
  if (edge !== undefined) return (edge === 'IN' ? FIRST_REAL_TIME : LAST_REAL_TIME) + Number(offset ?? 0)
  return (constants.signals as Readonly<Record<string, number>>)[signal] ?? 0
}
