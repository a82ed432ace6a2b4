import type { OnEvent } from '../../model/events.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import type { ServerNames } from './fleet-types.ts'
import type { StrictFleet } from './strict-fleet.ts'

/** Where a fleet comes from: the path of its file, or the fleet as an object. Undefined is the nearest fleet file. */
export type Source = string | FleetFile | undefined

/** As `Source`, for a fleet whose type is remembered; mistakes in a fleet that is written as an object are type errors. */
export type FleetSource<F extends FleetFile> = string | (F & StrictFleet<F>)

/** Settings of a client. */
export interface TestfleetOptions {
  /** The engine's URL, or `context:NAME`. Default: the one that the docker command would use. */
  readonly engine?: string | undefined
  /** Uses an engine of another machine without TLS. Refused otherwise: anyone who can reach such an engine is root there. */
  readonly insecureEngine?: boolean | undefined
  /** Where the search for a fleet file begins, and where relative paths start. Default: the working folder. */
  readonly folder?: string | undefined
  /**
   * Receives each event of this client's calls as it happens. If it throws, the call is undone and rejects with what it
   * threw; `down` finishes first.
   */
  readonly onEvent?: OnEvent | undefined
}

export interface CallOptions {
  /** Ends the call, which rejects with the signal's reason once everything that it created is removed. */
  readonly signal?: AbortSignal | undefined
}

export interface TimedOptions extends CallOptions {
  /**
   * How long the call may take, builds and pulls included; TIMED_OUT after that. 0 and Infinity are no limit. Default: half
   * an hour.
   */
  readonly timeoutMs?: number | undefined
}

/** Which session a call is about. */
export interface SessionOptions extends CallOptions {
  /**
   * Its name. Default: that in TESTFLEET_SESSION, which a command under `run` has; else the session of this checkout,
   * which `up` made from the fleet file that is here or above.
   */
  readonly session?: string | undefined
  /** Path of the fleet file whose session is meant. Default: the nearest fleet file. */
  readonly file?: string | undefined
}

export interface FleetOptions<F extends FleetFile = FleetFile> extends CallOptions {
  /** The servers to work on, with all that they depend on. Default: all. */
  readonly servers?: readonly ServerNames<F>[] | undefined
}

export interface BindOptions {
  /** `fixed` gives every port the same number on this machine. Default: `free`. */
  readonly bind?: 'free' | 'fixed' | undefined
}
