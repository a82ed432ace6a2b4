/** Standby copies of a fleet: how many, for how long, and how much memory. */
export interface Standby {
  readonly size: number
  /** The copies are removed when none was taken for this long. */
  readonly idleMs: number
  /** Most memory of all copies together; undefined for half of the engine's memory. */
  readonly memoryBytes: number | undefined
}

export const MOST_STANDBY = 16

export const DEFAULT_IDLE_MS = 30 * 60_000
