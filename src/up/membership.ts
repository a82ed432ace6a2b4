import type { SessionReport } from '../model/running.ts'
import type { OwnChange } from '../sessions/change.ts'
import { leaveSession } from '../sessions/hold.ts'
import { ownHolder } from '../sessions/keeper/client.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { TakenDown } from '../sessions/taken-down.ts'
import type { Tools } from '../tools.ts'

/** A running session, and this process's hold on it. */
export interface Membership {
  readonly record: StoredRecord
  readonly report: SessionReport
  /** Path of the socket where others can join; empty for a session that needs no holder. */
  readonly socket: string
  /** Returns who has taken the session down in the meantime, when known. */
  readonly takenDown: () => TakenDown | undefined
  /** Leaves the session, and removes it if nobody else holds it. Resolves with the number of remaining holders. */
  end(tools: Tools): Promise<number>
}

/** Returns a function that ends the hold of this process, the first holder of a session that `change` began. */
export function firstHold(change: OwnChange, { host }: Tools): Membership['end'] {
  const holder = ownHolder(host.processId)
  return async (later) => {
    try {
      const others = await leaveSession(change.record.id, holder, () => change.leave(), later)
      if (others === 0) change.end()
      return others
    } finally {
      // The keeper finishes what could not be removed here.
      change.handOver()
    }
  }
}
