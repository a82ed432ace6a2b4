import { endLease } from './end-lease.ts'
import type { OwnLease, TimeLease } from './lease.ts'
import type { Tools } from './tools.ts'

/** What the call has made stays: what it had set aside goes, and then its lease. */
export async function settleWork(lease: OwnLease, time: TimeLease | undefined, tools: Tools): Promise<void> {
  try {
    await lease.keep()
    await endLease(lease, { isKept: true }, tools)
    if (time !== undefined) await lease.handOver(time)
    lease.end()
  } finally {
    // What could not be done now is left to the keeper, which goes on trying.
    lease.abandon()
  }
}

/** The engine is as it was before. The keeper looks once more: what was asked for last may still be under way. */
export async function undo(lease: OwnLease, tools: Tools): Promise<void> {
  try {
    await endLease(lease, { isKept: false }, tools)
  } finally {
    lease.abandon()
  }
}
