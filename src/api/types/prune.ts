import type { CallOptions } from './options.ts'

/** Options of `prune`. */
export interface PruneOptions extends CallOptions {
  /** Also removes sessions that no process has to hold, such as those of `up`. Default: false. */
  readonly all?: boolean | undefined
  /** Removes only sessions whose last change is longer ago than this, in milliseconds. With `all`, it includes sessions that other machines hold. */
  readonly olderThanMs?: number | undefined
  /** Returns what would be removed, and removes nothing. Default: false. */
  readonly dryRun?: boolean | undefined
  /**
   * Also removes unused images of all fleets. Of each server, this number of the newest images is kept. Default: no image is
   * removed.
   */
  readonly keepImages?: number | undefined
}

/** Result of `prune`. */
export interface Pruned {
  /** Sessions that were removed. */
  readonly removed: readonly PrunedSession[]
  /** Sessions that were left, each with the reason. */
  readonly kept: readonly PrunedSession[]
  /** References of the images that were removed. */
  readonly images: readonly string[]
}

/** A session that `prune` looked at. */
export interface PrunedSession {
  readonly session: string
  /** Why it was removed or left. */
  readonly because: string
  /** Number of its servers. */
  readonly servers: number
  /** Number of its networks. */
  readonly networks: number
  /** Number of its volumes. */
  readonly volumes: number
}
