import type { TimedOptions, TimelineOptions } from './options.ts'

/** Options of `bake`. */
export interface BakeOptions extends TimedOptions, TimelineOptions {
  /** Path of a file to which the failure bundle is also written (`.tar.gz`) when it fails. */
  readonly bundle?: string | undefined
}

/** Baked image of a server, as `bake` returns it. */
export interface BakedImage {
  /** Reference of the image, such as `testfleet/shop-db/baked:5d9f55dfcc61704f`. */
  readonly image: string
  /** Whether the call baked it; false when the engine had it already. */
  readonly baked: boolean
}
