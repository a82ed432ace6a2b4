import type { FleetFile } from '../../model/fleet-file.ts'
import type { BindOptions, FleetOptions, TimedOptions } from './options.ts'

export interface StartOptions<F extends FleetFile = FleetFile> extends FleetOptions<F>, BindOptions, TimedOptions {
  /** Name of the new session. It must not exist yet. Default: the fleet's, with a random end. */
  readonly session?: string | undefined
  /** Leaves what was started when something fails. */
  readonly keep?: boolean | undefined
  /** When the start fails, also write its failure bundle, which is a folder, as one file (`.tar.gz`) here. */
  readonly bundle?: string | undefined
}
