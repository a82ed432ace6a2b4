import type { LeaseSource } from '../lease/start-lending.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { LeaseParts } from './leased-server.ts'
import type { Operate } from './operation.ts'
import type { LeaseOptions } from './types/lease.ts'

/**
 * The leases of a running fleet.
 *
 * @internal
 */
export interface Leases {
  lease(server: string, options: LeaseOptions): Promise<LeaseParts>
  /** Gives everything back. */
  close(): Promise<void>
}

/** `source` is what the session was started from; undefined where only its record says it. */
export function openLeases(record: StoredRecord, source: LeaseSource, operate: Operate): Leases {
  const loadDesk = async () => new (await import('./calls/lease-desk.ts')).LeaseDesk(record, source)
  let desk: ReturnType<typeof loadDesk> | undefined
  return {
    lease: (server, options) =>
      operate('lease', options, async (tools) => {
        desk ??= loadDesk()
        return {
          lease: await (await desk).lease(server, options, tools),
          record,
          operate,
          onReleased: options.onReleased,
        }
      }),
    close: async () => (await desk)?.close(),
  }
}
