import type { CallOptions } from './options.ts'

/** Options of `warm`. */
export interface WarmOptions extends CallOptions {
  /** How many copies are held, from 1 to 16. Default: what the fleet file says in `standby`, or 1. */
  readonly standby?: number | undefined
  /** The copies are removed when none was taken for this long, in milliseconds, from 1 second to 24 hours. Default: that of the fleet file, or half an hour. */
  readonly idleMs?: number | undefined
  /** Most memory of all copies together. Default: that of the fleet file, or half of the engine's memory. */
  readonly memoryBytes?: number | undefined
  /** Removes the copies instead, and holds none until the next start. Default: false. */
  readonly stop?: boolean | undefined
}

/** The standby copies of a fleet. */
export interface StandbyReport {
  /** Names of the sessions that are ready to be taken; with `stop`, of those that were removed. */
  readonly ready: readonly string[]
  /** How many copies are wanted. */
  readonly standby: number
  /** Memory of all ready copies together; undefined when the engine does not tell. */
  readonly memoryBytes: number | undefined
  /** Most memory that they may use; undefined when the engine does not tell how much there is. */
  readonly memoryLimitBytes: number | undefined
  /** Whether the copies are paused, so that they use no CPU. */
  readonly paused: boolean
  /** How long they are held while none is taken, in milliseconds. */
  readonly idleMs: number
  /** When they are removed unless one is taken, in milliseconds since 1970. */
  readonly idleUntilMs: number
  /** Why there are fewer copies than wanted, or why they are not paused. */
  readonly problems: readonly string[]
}
