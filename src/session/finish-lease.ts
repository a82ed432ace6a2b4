import { wordError } from '../formats/word-error.ts'
import { endLease } from './end-lease.ts'
import type { OwnLease, TimeLease } from './lease.ts'
import type { Tools } from './tools.ts'

/**
 * What the call has made stays: what it had set aside goes, and then its lease. Once the keeper knows, it goes on with
 * what could not be done here; without one, it must be done now, as the next call of testfleet would take all back.
 */
export async function settleWork(lease: OwnLease, time: TimeLease | undefined, tools: Tools): Promise<void> {
  const isKnown = await lease.keep()
  try {
    await endLease(lease, { isKept: true }, tools)
    if (time !== undefined) await lease.handOver(time)
    lease.end()
  } catch (error) {
    if (!isKnown) throw error
    const message = `what was replaced is not gone yet, and is tried again: ${wordError(error)}`
    tools.onEvent({ kind: 'warned', message })
  } finally {
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
