import type { LeaseSource } from '../lease/start-lending.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { LeaseDesk } from './calls/lease-desk.ts'
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
  let desk: Promise<LeaseDesk> | undefined
  return {
    lease: (server, options) =>
      operate('lease', options, async (tools) => {
        desk ??= import('./calls/lease-desk.ts').then(({ LeaseDesk }) => new LeaseDesk(record, source))
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
