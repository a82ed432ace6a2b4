import type { TimedOptions } from './options.ts'

export interface BuildOptions extends TimedOptions {
  /** When the build fails, also write its failure bundle, which is a folder, as one file (`.tar.gz`) here. */
  readonly bundle?: string | undefined
}

/** The image of a server. */
export interface BuiltImage {
  /** Its reference. */
  readonly image: string
  /** Whether it had to be built; false when the engine had it. */
  readonly built: boolean
}
