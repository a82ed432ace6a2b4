import type { FleetFile } from '../../model/fleet-file.ts'
import type { BindOptions, FleetOptions, SessionOptions, TimedOptions, TimelineOptions } from './options.ts'

/** Options of `up` of a client. `F` is the type of the fleet. */
export interface UpOptions<F extends FleetFile = FleetFile>
  extends FleetOptions<F>,
    BindOptions,
    TimedOptions,
    TimelineOptions,
    Pick<SessionOptions, 'session'> {
  /** Time until the session is removed, in milliseconds. Default: it stays until it is taken down. */
  readonly ttlMs?: number | undefined
  /** Keeps what was started when the call fails, so that you can look at it. Default: false. */
  readonly keep?: boolean | undefined
  /** Path of a file to which the failure bundle is also written (`.tar.gz`) when the call fails. */
  readonly bundle?: string | undefined
}
