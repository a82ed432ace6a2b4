import type { Position } from '../../model/fleet.ts'
import type { CallOptions } from './options.ts'

/** Options of `pin`. */
export interface PinOptions extends CallOptions {
  /** Path of the fleet file. Default: the nearest fleet file. */
  readonly file?: string | undefined
  /** `check` asks no engine; `dryRun` pulls nothing; neither writes. Default: `write`. */
  readonly mode?: 'write' | 'check' | 'dryRun' | undefined
}

/** Result of `pin`. */
export interface PinResult {
  /** The fleet file, as messages show it. */
  readonly file: string
  /** Fields of the fleet file that name an image. */
  readonly pins: readonly Pin[]
  /** Base images without a digest in Dockerfiles of your own, which are left as they are. */
  readonly dockerfiles: readonly { readonly at: Position; readonly image: string }[]
}

/** A field of the fleet file that names an image. */
export interface Pin {
  /** Such as `servers.db.image`. */
  readonly field: string
  readonly at: Position
  /** Whether the fleet file has the field; false for a default. */
  readonly isWritten: boolean
  readonly image: string
  /**
   * `pinned`: has a digest. `found`: gets one. `byHand`: only a person can write it there. `unpinned`: has none, and no
   * engine was asked. `absent`: the engine lacks the image. `local`: the engine's image came from no registry.
   */
  readonly state: 'pinned' | 'found' | 'byHand' | 'unpinned' | 'absent' | 'local'
  /** The reference with its digest, for `found` and `byHand`. */
  readonly pinned?: string
}
