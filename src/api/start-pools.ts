import type { LeaseSource } from '../lease/start-lending.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

/** Starts to prepare the copies of servers that have a `pool`. Returns before they are ready. */
export async function startPools(record: StoredRecord, source: LeaseSource, tools: Tools): Promise<void> {
  if (!Object.values(record.servers).some(({ lending }) => lending?.pool !== undefined)) return
  // Loaded on demand: few fleets have pools.
  const { startLending } = await import('../lease/start-lending.ts')
  await startLending(record, source, tools)
}
