import type { ServerImage } from '../model/fleet.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import type { ReportMistake } from './document.ts'

export interface Surroundings {
  /** The fleet file, as it is shown in messages. */
  readonly file: string
  /** Its path with every link resolved; undefined for a fleet that is an object. */
  readonly realPath: string | undefined
  /** Its folder, absolute. */
  readonly folder: string
  /** The presets that testfleet brings along; their files go into images from there. */
  readonly presetsFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What resolving a part of the file needs to know of the rest. */
export interface ResolveContext {
  readonly file: FleetFile
  readonly fleetName: string
  readonly domain: string
  readonly surroundings: Surroundings
  readonly report: ReportMistake
  /** The base of the fleet on each image that servers start from: one recipe, prepared once, built once. */
  readonly bases: Map<string, ServerImage>
}
