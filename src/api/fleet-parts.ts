import type { ServerReport } from '../model/running.ts'
import type { Tools } from '../tools.ts'
import type { Membership } from '../up/membership.ts'
import type { EventHub } from './event-hub.ts'
import type { FleetNames } from './fleet-names.ts'
import type { Leases } from './leases.ts'
import type { Operate } from './operation.ts'

/**
 * What a running fleet is made of.
 *
 * @internal
 */
export interface FleetParts {
  /** The report shows the servers as their handles last saw them. */
  readonly member: Membership
  /** The same servers, for the handles to keep up to date. */
  readonly reports: Record<string, ServerReport>
  readonly environment: () => Readonly<Record<string, string>>
  /** By the server's name. */
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly certificateAuthority: string | undefined
  readonly names: FleetNames
  readonly tools: Tools
  readonly leases: Leases
  /** Receives the events of the client. */
  readonly hub: EventHub
  readonly operate: Operate
  /** Whether the session stays after this process has left it. */
  readonly isLasting: boolean
}
