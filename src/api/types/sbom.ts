import type { SessionOptions, Source } from './options.ts'

export interface SbomOptions extends Omit<SessionOptions, 'file'> {
  /** Default: the nearest fleet file. */
  readonly source?: Source
}
