import type { TimedOptions } from './options.ts'

/**
 * Options of what is done once for several sessions of a fleet that run at once.
 *
 * @internal
 */
export interface ShardsOptions extends TimedOptions {
  readonly servers?: readonly string[] | undefined
  readonly bind?: 'free' | 'fixed' | undefined
  readonly bundle?: string | undefined
  /** Number of sessions. */
  readonly shards: number
}
