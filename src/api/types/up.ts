import type { FleetFile } from '../../model/fleet-file.ts'
import type { BindOptions, FleetOptions, SessionOptions, TimedOptions } from './options.ts'

export interface UpOptions<F extends FleetFile = FleetFile>
  extends FleetOptions<F>,
    BindOptions,
    TimedOptions,
    Pick<SessionOptions, 'session'> {
  /** How long the session lives, in milliseconds. Default: until it is taken down. */
  readonly ttlMs?: number | undefined
  /** Leaves what was started when something fails. */
  readonly keep?: boolean | undefined
  /** When it fails, also write its failure bundle, which is a folder, as one file (`.tar.gz`) here. */
  readonly bundle?: string | undefined
}
