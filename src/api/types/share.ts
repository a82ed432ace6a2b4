import type { FleetFile } from '../../model/fleet-file.ts'
import type { ServerReport, SessionReport } from '../../model/running.ts'
import type { StartOptions } from './start.ts'

/** Options of `share` of a client. `F` is the type of the fleet. */
export interface ShareOptions<F extends FleetFile = FleetFile> extends Omit<StartOptions<F>, 'standby'> {
  /**
   * Name of the session. Default: the value of TESTFLEET_SESSION; without it, a name that is the same for all calls with the
   * same fleet and the same `process`.
   */
  readonly session?: string | undefined
  /** Id of the process that holds the session, such as that of a test runner. Default: this process. */
  readonly process?: number | undefined
  /**
   * Calls with another slot get another session. TESTFLEET_SESSION does not count then.
   *
   * @internal
   */
  readonly slot?: string | undefined
  /**
   * Whether the caller is a thread, which can end before its process: the process then stays in the session without it.
   *
   * @internal
   */
  readonly isThread?: boolean | undefined
}

/** A shared session, for a process that does not stay. */
export interface SharedSession extends SessionReport {
  /** Its servers, by name. */
  readonly servers: Readonly<Record<string, SharedServer>>
  /** Variables for programs that use the fleet. */
  readonly environment: Readonly<Record<string, string>>
  /** The process that holds the session. */
  readonly process: number
}

/** A server of a shared session, with the variables that a lease of it has. */
export interface SharedServer extends ServerReport {
  /** What the server exports. */
  readonly exports: Readonly<Record<string, string>>
  /** What it exports, and the variables with its host name, host and ports. */
  readonly environment: Readonly<Record<string, string>>
}

/** @internal */
export interface ShareSessionOptions extends ShareOptions {
  /** Starts the lender, which otherwise starts with a pool or with the first lease of the library. */
  readonly lender?: boolean | undefined
}
