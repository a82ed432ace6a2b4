import { readLeaseTimeout } from '../../lease/lease-client.ts'
import type { CallSettings } from '../call.ts'
import type { LeasedServer } from '../leased-server.ts'
import type { LeaseOptions } from '../types/lease.ts'
import type { SessionOptions } from '../types/options.ts'
import { join } from './join.ts'

/** Joins a session, leases from it, and leaves it when the lease is given back. */
export async function leaseFromSession(
  client: CallSettings,
  server: string,
  options: LeaseOptions & SessionOptions,
): Promise<LeasedServer> {
  readLeaseTimeout(options.timeoutMs)
  const fleet = await join(client, options.session, options)
  try {
    return await fleet.lease(server, { ...options, onReleased: () => fleet.leave() })
  } catch (error) {
    await fleet.leave()
    throw error
  }
}
