import type { LeaseSource } from '../lease/start-lending.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

/** Whether copies of a server of this session are held ready to be leased. */
export function hasPools({ servers }: Pick<StoredRecord, 'servers'>): boolean {
  return Object.values(servers).some(({ lending }) => lending?.pool !== undefined)
}

/**
 * Starts to prepare the copies of servers that have a `pool`, or tells a lender that runs what has changed. Returns before
 * copies are ready.
 */
export async function startPools(record: StoredRecord, source: LeaseSource, tools: Tools): Promise<void> {
  if (!hasPools(record) && record.lender?.by === undefined) return
  // Loaded on demand: few fleets have pools.
  const { startLending } = await import('../lease/start-lending.ts')
  await startLending(record, source, tools)
}
