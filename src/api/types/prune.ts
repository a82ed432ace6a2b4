import type { CallOptions } from './options.ts'

export interface PruneOptions extends CallOptions {
  /** Also sessions that nobody has to hold, such as those of `up`. */
  readonly all?: boolean | undefined
  /** Only what was last changed longer ago than that. With `all`, also what other machines hold. */
  readonly olderThanMs?: number | undefined
  /** Only reports what would be removed. */
  readonly dryRun?: boolean | undefined
  /** Also images of servers that no container uses, of all fleets: how many of the newest of each server stay. */
  readonly keepImages?: number | undefined
}

export interface Pruned {
  readonly removed: readonly PrunedSession[]
  readonly kept: readonly PrunedSession[]
  /** References of images that were removed. */
  readonly images: readonly string[]
}

export interface PrunedSession {
  readonly session: string
  readonly because: string
  readonly servers: number
  readonly networks: number
  readonly volumes: number
}
