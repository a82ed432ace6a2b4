import type { LenderOrder } from '../lender/protocol.ts'
import type { EngineEndpoint } from '../model/engine-endpoint.ts'

/** Orders a lender to lend the servers of one session. */
export interface PoolOrder extends LenderOrder {
  readonly kind: 'pool'
  /** Id of the session. */
  readonly session: string
  readonly endpoint: EngineEndpoint
  /** The fleet that the session was started from. */
  readonly fleet: FleetOrder
}

export type FleetOrder =
  | { readonly kind: 'file'; readonly named: string }
  | { readonly kind: 'object'; readonly value: unknown; readonly folder: string }
