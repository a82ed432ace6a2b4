import type { SessionOptions } from './options.ts'
import type { ForceOptions } from './servers.ts'

/** A saved state of a server. */
export interface Snapshot {
  readonly name: string
  readonly server: string
  readonly createdAt: Date
}

/** Options of `reset`, `snapshot` and `restore` of the client. */
export interface StateOptions extends ForceOptions, SessionOptions {}

/**
 * What a call makes of a server's state.
 *
 * @internal
 */
export type StateChange = { readonly verb: 'reset' } | { readonly verb: 'snapshot' | 'restore'; readonly name: string }
