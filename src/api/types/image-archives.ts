import type { Readable, Writable } from 'node:stream'
import type { Source, TimedOptions } from './options.ts'

/** Where `saveImages` writes the archive: a file, or a stream, which stays open. */
export type ArchiveTarget = string | Writable

/** Where `loadImages` reads the archive: a file, or a stream. */
export type ArchiveSource = string | Readable

/** Options of `saveImages`. */
export interface SaveImagesOptions extends TimedOptions {
  /** The fleet. Default: the nearest fleet file. */
  readonly source?: Source
  /** Names of the servers whose images are saved, with those of the servers that they depend on. Default: all. */
  readonly servers?: readonly string[] | undefined
}

/** Options of `loadImages`. */
export type LoadImagesOptions = TimedOptions

/** Result of `saveImages`. */
export interface SavedImages {
  /** The images in the archive, ordered by name. */
  readonly images: readonly SavedImage[]
  /** Size of the archive in bytes. */
  readonly bytes: number
  /** Whether the archive was written; false when the file already had exactly these images. */
  readonly written: boolean
}

/** An image in an archive. */
export interface SavedImage {
  /** Reference of the image, such as `testfleet/shop-web:5d9f55dfcc61704f`. */
  readonly image: string
  /** Id by which the engine knows it, such as `sha256:…`. */
  readonly id: string
}

/** An image of an archive, as `loadImages` returns it. */
export interface LoadedImage {
  /** Reference of the image, or its id when it has no name. */
  readonly image: string
  /** Whether the call loaded it; false when the engine had it already. */
  readonly loaded: boolean
}
