import type { PresetFile } from '../../model/preset-file.ts'
import type { FleetDocument } from '../document.ts'

/** A preset as it was read. */
export interface Preset extends PresetFile {
  /** As the fleet file names it. */
  readonly name: string
  /** What its own paths start from: absolute for those that testfleet brings along, else relative to the fleet file. */
  readonly folder: string
  /** Where it lies, absolute. */
  readonly path: string
  /** Whether testfleet brings it along; mistakes that come of it are told where it was asked for. */
  readonly isBuiltIn: boolean
  readonly document: FleetDocument
}
