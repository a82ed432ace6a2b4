import type { LeaseSource } from '../lease/start-lending.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

/**
 * Starts to prepare the copies of servers that have a `pool`, or tells a lender that runs what has changed. Returns before
 * copies are ready.
 */
export async function startPools(record: StoredRecord, source: LeaseSource, tools: Tools): Promise<void> {
  const hasPools = Object.values(record.servers).some(({ lending }) => lending?.pool !== undefined)
  if (!hasPools && record.lender?.by === undefined) return
  // Loaded on demand: few fleets have pools.
  const { startLending } = await import('../lease/start-lending.ts')
  await startLending(record, source, tools)
}
