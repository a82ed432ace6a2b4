import type { FleetFile } from '../../model/fleet-file.ts'
import type { BindOptions, FleetOptions, TimedOptions, TimelineOptions } from './options.ts'

/** Options of `startFleet()` and of `start` of a client. `F` is the type of the fleet. */
export interface StartOptions<F extends FleetFile = FleetFile>
  extends FleetOptions<F>,
    BindOptions,
    TimedOptions,
    TimelineOptions {
  /** Name of the new session. It must not exist yet. Default: the name of the fleet, followed by random characters. */
  readonly session?: string | undefined
  /**
   * How many standby copies of the fleet are held, as `warm` does. `false` holds none, and takes none. Default: what the
   * fleet file says in `standby`.
   */
  readonly standby?: number | false | undefined
  /** Keeps what was started when the call fails, so that you can look at it. Default: false. */
  readonly keep?: boolean | undefined
  /** Path of a file to which the failure bundle is also written (`.tar.gz`) when the call fails. */
  readonly bundle?: string | undefined
}
