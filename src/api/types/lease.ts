import type { CallOptions } from './options.ts'

/** Options of a lease. */
export interface LeaseOptions extends CallOptions {
  /** Longest wait for a pristine server, in milliseconds. It then fails with TIMED_OUT. Default: a minute. */
  readonly timeoutMs?: number | undefined
  /** @internal */
  readonly onReleased?: (() => Promise<void>) | undefined
}

/** How a lease is kept apart from all others. docs/leases.md says what that isolates, and what not. */
export type Isolation = 'container' | 'reset' | 'database'
