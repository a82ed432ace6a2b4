import { TestfleetError } from '../../../model/failures.ts'
import { nameProcesses } from '../process-table.ts'

export function refused(why: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', why)
}

/** Fails with ENGINE_REFUSED when processes did not get a signal: those of another user. */
export function refuseDeaf(pids: readonly number[], signal: string): void {
  if (pids.length > 0) throw refused(`${signal} may not be sent to ${nameProcesses(pids)}: it belongs to another user`)
}
