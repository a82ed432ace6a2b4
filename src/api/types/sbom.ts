import type { SessionOptions, Source } from './options.ts'

/** Options of `sbom`. */
export interface SbomOptions extends Omit<SessionOptions, 'file'> {
  /** Path of the fleet file, or the fleet as an object. Default: the nearest fleet file. */
  readonly source?: Source
}
