import { TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import { findCopyConflict } from '../model/side-by-side.ts'

/** Refuses a fleet whose copies cannot run side by side, or cannot be ready before they are used. */
export function refuseUnfit(fleet: Fleet): void {
  const conflict = findCopyConflict(fleet.servers.values(), 'copies')
  if (conflict === undefined) return
  const { server, why, hint } = conflict
  throw new TestfleetError('USAGE', `the fleet can have no standby copies: ${server}: ${why}`, { server, hint })
}
