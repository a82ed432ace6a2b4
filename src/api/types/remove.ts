import type { CallOptions } from './options.ts'

/** Options of `removeImages`. */
export interface RemoveImagesOptions extends CallOptions {
  /** Only the images of these servers. Default: all that were built for the fleet. */
  readonly servers?: readonly string[] | undefined
  /** Path of the fleet file. Default: the nearest fleet file. */
  readonly file?: string | undefined
}
