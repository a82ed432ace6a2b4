import type { TimedOptions, TimelineOptions } from './options.ts'

/** Options of `build`. */
export interface BuildOptions extends TimedOptions, TimelineOptions {
  /** Path of a file to which the failure bundle is also written (`.tar.gz`) when the build fails. */
  readonly bundle?: string | undefined
}

/** Image of a server, as `build` returns it. */
export interface BuiltImage {
  /** Reference of the image, such as `testfleet/shop-web:5d9f55dfcc61704f`. */
  readonly image: string
  /** Whether the call built it; false when the engine had it already. */
  readonly built: boolean
}
