import { TestfleetError } from '../../../model/failures.ts'
import { nameProcesses } from '../process-table.ts'

export function refused(why: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', why)
}

/** CLEANUP_FAILED for processes that are alive after SIGKILL. */
export function unkillable(pids: readonly number[]): TestfleetError {
  return new TestfleetError('CLEANUP_FAILED', `these processes cannot be killed: ${nameProcesses(pids)}`)
}

/** Fails with ENGINE_REFUSED when processes did not get a signal: those of another user. */
export function refuseDeaf(pids: readonly number[], signal: string): void {
  if (pids.length > 0) throw refused(`${signal} may not be sent to ${nameProcesses(pids)}: it belongs to another user`)
}
