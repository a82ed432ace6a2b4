import type { FleetFile } from '../../model/fleet-file.ts'
import type { TestfleetEvent } from '../events.ts'
import type { ServerNames } from './fleet-types.ts'
import type { StrictFleet } from './strict-fleet.ts'

/** Where a fleet comes from: the path of a fleet file, or the fleet as an object. Undefined means the nearest fleet file. */
export type Source = string | FleetFile | undefined

/** As `Source`, and the type of a fleet that is given as an object is remembered. Mistakes in such a fleet are type errors. */
export type FleetSource<F extends FleetFile> = string | (F & StrictFleet<F>)

/** Settings of a client. */
export interface TestfleetOptions {
  /**
   * URL of the engine, `context:NAME`, or `local` for the local engine. Default: what TESTFLEET_ENGINE names, then the
   * engine that the docker command would use.
   */
  readonly engine?: string | undefined
  /** Uses an engine of another machine without TLS. Refused otherwise: anyone who can reach such an engine is root there. */
  readonly insecureEngine?: boolean | undefined
  /** Folder in which the search for a fleet file begins, and that relative paths start from. Default: the working folder. */
  readonly folder?: string | undefined
  /**
   * Receives each event of this client's calls as it happens, and of the fleets that they return. If it throws, the call
   * is undone and rejects with what it threw; `down` finishes first.
   */
  readonly onEvent?: ((event: TestfleetEvent) => void) | undefined
}

/** Options of every call. */
export interface CallOptions {
  /** Cancels the call. It then rejects with the signal's reason, after it has removed everything that it created. */
  readonly signal?: AbortSignal | undefined
}

/** Options of a call that can take long. */
export interface TimedOptions extends CallOptions {
  /**
   * Time limit in milliseconds, builds and pulls included. The call fails with TIMED_OUT after that. 0 and Infinity mean no
   * limit. Default: half an hour.
   */
  readonly timeoutMs?: number | undefined
}

/** Options of a call whose time can be looked at. */
export interface TimelineOptions {
  /**
   * Path of a file that shows where the time went, or several. It is written when the call has ended, however it ended: as a
   * page for a browser, or as a Chrome trace if the name ends with `.json`.
   */
  readonly timeline?: string | readonly string[] | undefined
}

/** Which session a call is about. */
export interface SessionOptions extends CallOptions {
  /**
   * Name of the session. Default: the value of TESTFLEET_SESSION, which is set for a command under `run`; without it, the
   * session that `up` made from the fleet file in this folder or above.
   */
  readonly session?: string | undefined
  /** Path of the fleet file that the session was made from. Default: the nearest fleet file. */
  readonly file?: string | undefined
}

/** Options of a call that works on servers of a fleet. */
export interface FleetOptions<F extends FleetFile = FleetFile> extends CallOptions {
  /** Names of the servers to work on. The servers that they depend on are included. Default: all. */
  readonly servers?: readonly ServerNames<F>[] | undefined
}

/** Options of a call that publishes ports. */
export interface BindOptions {
  /** `free` publishes each port under a free number of this machine, `fixed` under its own number. Default: `free`. */
  readonly bind?: 'free' | 'fixed' | undefined
}
