import type { FleetFile } from '../model/fleet-file.ts'
import type { SessionReport } from '../model/running.ts'
import { FleetCalls } from './fleet-calls.ts'
import type { RunningFleet } from './running-fleet.ts'
import type { HeldSession } from './types/hold.ts'
import type { JoinOptions } from './types/join.ts'
import type { FleetSource, SessionOptions, Source } from './types/options.ts'
import type { RunOptions, RunResult } from './types/run.ts'
import type { StartOptions } from './types/start.ts'
import type { UpOptions } from './types/up.ts'

/** Calls that start servers, or enter a session that runs. */
export class SessionCalls extends FleetCalls {
  /**
   * Builds, starts, and resolves once every server is ready. The session stays until it is taken down; a second call
   * changes only what has changed.
   */
  async up<const F extends FleetFile = FleetFile>(
    source?: FleetSource<F>,
    options: UpOptions<F> = {},
  ): Promise<RunningFleet<F>> {
    return (await import('./calls/up.ts')).up(this.settings, source, options)
  }

  /**
   * As `up`, for a session of its own that ends with this process, or when all who joined it have left.
   *
   * @throws {TestfleetError} Any code of docs/failures.md. Everything that was started is gone by then, and `bundle` names
   *   the folder with all that is known of the failure.
   */
  async start<const F extends FleetFile = FleetFile>(
    source?: FleetSource<F>,
    options: StartOptions<F> = {},
  ): Promise<RunningFleet<F>> {
    return (await import('./calls/start.ts')).start(this.settings, source, options)
  }

  /**
   * Runs a command on this machine with a session of its own: its servers are ready before the command starts, and gone
   * when it has ended. The command has the session's variables and names, and the standard streams of this process. An exit
   * code other than 0 is a result.
   *
   * @throws {TestfleetError} As `start`, and USAGE when there is no such program, COMMAND_NOT_FOUND, NAMES_UNAVAILABLE
   * @example
   * const { exitCode } = await testfleet.run(['pytest', '-x'], { servers: ['db'] })
   */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>
  run(source: Source, command: readonly string[], options?: RunOptions): Promise<RunResult>
  async run(
    source: Source | readonly string[],
    command?: readonly string[] | RunOptions,
    options?: RunOptions,
  ): Promise<RunResult> {
    const { run } = await import('./calls/run.ts')
    if (isCommand(source)) return run(this.settings, undefined, source, (command as RunOptions | undefined) ?? {})
    return run(this.settings, source, command as readonly string[], options ?? {})
  }

  /**
   * Joins a session that runs, of this program or of any other: it stays until the last one that joined it has left, too.
   *
   * @param session Its name. Default: that in TESTFLEET_SESSION; else the session of this checkout.
   * @throws {TestfleetError} NO_SESSION, USAGE, FLEET_FILE_NOT_FOUND
   */
  async join<F extends FleetFile = FleetFile>(session?: string, options: JoinOptions = {}): Promise<RunningFleet<F>> {
    return (await import('./calls/join.ts')).join(this.settings, session, options)
  }

  /**
   * As `up`, for a caller that only wants to know where the servers are.
   *
   * @internal
   */
  async bringUp(source: Source, options: UpOptions): Promise<SessionReport> {
    return (await import('./calls/up.ts')).bringUp(this.settings, source, options)
  }

  /**
   * Holds a session for another process, until that ends or is released. `down` respects it as it does a process of `join`.
   *
   * @throws {TestfleetError} NO_SESSION, USAGE when there is no such process
   */
  async hold(pid: number, options: SessionOptions = {}): Promise<HeldSession> {
    return (await import('./calls/hold.ts')).hold(this.settings, pid, options)
  }

  /** Ends what `hold` has begun. */
  async release(pid: number, options: SessionOptions = {}): Promise<HeldSession> {
    return (await import('./calls/hold.ts')).release(this.settings, pid, options)
  }
}

function isCommand(value: Source | readonly string[]): value is readonly string[] {
  return Array.isArray(value)
}
