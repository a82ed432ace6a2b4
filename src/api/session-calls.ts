import type { FleetFile } from '../model/fleet-file.ts'
import type { SessionReport } from '../model/running.ts'
import type { CallSettings } from './call.ts'
import { FleetCalls } from './fleet-calls.ts'
import type { LeasedServer } from './leased-server.ts'
import type { RunningFleet } from './running-fleet.ts'
import type { HeldSession } from './types/hold.ts'
import type { JoinOptions } from './types/join.ts'
import type { LeaseOptions } from './types/lease.ts'
import type { FleetSource, SessionOptions, Source } from './types/options.ts'
import type { RunOptions, RunResult } from './types/run.ts'
import type { ShardsOptions } from './types/shards.ts'
import type { SharedSession, ShareOptions, ShareSessionOptions } from './types/share.ts'
import type { StartOptions } from './types/start.ts'
import type { UpOptions } from './types/up.ts'
import type { StandbyReport, WarmOptions } from './types/warm.ts'

/** Calls that start servers, or enter a session that runs. */
export class SessionCalls extends FleetCalls {
  /**
   * Builds what is missing, starts the servers and resolves once all of them are ready. The session stays until it is taken
   * down. A second call changes only what has changed since.
   *
   * @throws {TestfleetError} Any code of docs/failures.md. What the call started is removed, unless `keep` is set.
   * @example
   * const fleet = await testfleet.up('./testfleet.yaml', { ttlMs: 3_600_000 })
   * console.log(fleet.session, fleet.exports)
   */
  async up<const F extends FleetFile = FleetFile>(
    source?: FleetSource<F>,
    options: UpOptions<F> = {},
  ): Promise<RunningFleet<F>> {
    const call = async (settings: CallSettings) => (await import('./calls/up.ts')).up(settings, source, options)
    return this.operate('up', options, call, leave)
  }

  /**
   * Starts a fleet as `up` does, in a new session that is removed when this process has ended and every other process that
   * joined it has left. Takes a standby copy instead, if one is ready.
   *
   * @throws {TestfleetError} Any code of docs/failures.md. Everything that was started is removed by then, unless `keep` is
   *   set, and `bundle` is the folder with logs and events of the failure.
   * @example
   * await using fleet = await testfleet.start('./testfleet.yaml', { servers: ['db'] })
   */
  async start<const F extends FleetFile = FleetFile>(
    source?: FleetSource<F>,
    options: StartOptions<F> = {},
  ): Promise<RunningFleet<F>> {
    const call = async (settings: CallSettings) => (await import('./calls/start.ts')).start(settings, source, options)
    return this.operate('start', options, call, leave)
  }

  /**
   * Runs a command on this machine with a session of its own: its servers are ready before the command starts, and gone
   * when it has ended. The command has the session's variables and names, and the standard streams of this process. An exit
   * code other than 0 is a result.
   *
   * @throws {TestfleetError} The codes of `start`, USAGE when there is no such program, COMMAND_NOT_FOUND, NAMES_UNAVAILABLE
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
    const call = isCommand(source)
      ? { source: undefined, words: source, options: (command as RunOptions | undefined) ?? {} }
      : { source, words: command as readonly string[], options: options ?? {} }
    return this.operate('run', call.options, async (settings) => {
      return (await import('./calls/run.ts')).run(settings, call.source, call.words, call.options)
    })
  }

  /**
   * Does what several calls of `run` at once share: refuses a fleet that cannot run several times, and builds its images.
   *
   * @internal
   */
  async prepareShards(source: Source, options: ShardsOptions): Promise<void> {
    return this.operate('build', options, async (settings) => {
      return (await import('./calls/prepare-shards.ts')).prepareShards(settings, source, options)
    })
  }

  /**
   * Holds ready, paused copies of the whole fleet, each in its own session. `run`, `start` and `startFleet` take one
   * instead of starting servers, and another one is prepared. Resolves once the copies are ready, or cannot be.
   *
   * @throws {TestfleetError} USAGE for a fleet whose copies cannot run side by side, FLEET_FILE_INVALID, LENDER_LOST
   * @example
   * const { ready } = await testfleet.warm('./testfleet.yaml', { standby: 2 })
   */
  async warm(source?: Source, options: WarmOptions = {}): Promise<StandbyReport> {
    return this.operate('warm', options, async (settings) => {
      return (await import('./calls/warm.ts')).warm(settings, source, options)
    })
  }

  /**
   * Joins a running session, of this program or another one. The session stays at least until the fleet is left.
   *
   * @param session Name of the session. Default: the value of TESTFLEET_SESSION; without it, the session of the nearest fleet file.
   * @throws {TestfleetError} NO_SESSION, USAGE, FLEET_FILE_NOT_FOUND
   * @example
   * await using fleet = await testfleet.join('shop')
   */
  async join<F extends FleetFile = FleetFile>(session?: string, options: JoinOptions = {}): Promise<RunningFleet<F>> {
    const call = async (settings: CallSettings) => (await import('./calls/join.ts')).join<F>(settings, session, options)
    return this.operate('join', options, call, leave)
  }

  /**
   * Joins the session that all processes of one test run share; the first call starts it, and others wait for it. The
   * session is removed when its holders have ended: the process that `process` names, and those that still use the fleet.
   *
   * @throws {TestfleetError} The codes of `start`; NAME_TAKEN when the session belongs to another fleet; NO_SESSION when
   *   the inherited session has ended; USAGE when there is no such process
   * @example
   * // In a worker of a test runner: one fleet for all workers.
   * await using fleet = await testfleet.share('./testfleet.yaml', { process: process.ppid })
   */
  async share<const F extends FleetFile = FleetFile>(
    source?: FleetSource<F>,
    options: ShareOptions<F> = {},
  ): Promise<RunningFleet<F>> {
    const call = async (settings: CallSettings) => (await import('./calls/share.ts')).share(settings, source, options)
    return this.operate('share', options, call, leave)
  }

  /**
   * As `share`, for a caller that does not stay.
   *
   * @internal
   */
  async shareSession(source: Source, options: ShareSessionOptions): Promise<SharedSession> {
    return this.operate('share', options, async (settings) => {
      return (await import('./calls/share.ts')).shareSession(settings, source, options)
    })
  }

  /**
   * Leases a pristine server from a running session, as `lease` of a running fleet does. The session stays at least until it
   * is given back.
   *
   * @throws {TestfleetError} NO_SESSION, and the codes of `lease` of a running fleet
   * @example
   * await using db = await testfleet.lease('db', { session: 'shop' })
   */
  async lease(server: string, options: LeaseOptions & SessionOptions = {}): Promise<LeasedServer> {
    return this.operate('lease', options, async (settings) => {
      return (await import('./calls/lease.ts')).leaseFromSession(settings, server, options)
    })
  }

  /**
   * As `up`, for a caller that only wants to know where the servers are.
   *
   * @internal
   */
  async bringUp(source: Source, options: UpOptions): Promise<SessionReport> {
    return this.operate('up', options, async (settings) => {
      return (await import('./calls/up.ts')).bringUp(settings, source, options)
    })
  }

  /**
   * Holds a session for another process until that process ends or is released. Meanwhile, `down` fails unless it is forced.
   *
   * @throws {TestfleetError} NO_SESSION, USAGE when there is no such process
   * @example
   * await testfleet.hold(child.pid, { session: 'shop' })
   */
  async hold(pid: number, options: SessionOptions = {}): Promise<HeldSession> {
    return this.operate('hold', options, async (settings) => {
      return (await import('./calls/hold.ts')).hold(settings, pid, options)
    })
  }

  /**
   * Ends the hold of another process on a session. The session is removed if no other process holds it and it does not stay.
   *
   * @throws {TestfleetError} NO_SESSION, CLEANUP_FAILED
   * @example
   * await testfleet.release(child.pid, { session: 'shop' })
   */
  async release(pid: number, options: SessionOptions = {}): Promise<HeldSession> {
    return this.operate('release', options, async (settings) => {
      return (await import('./calls/hold.ts')).release(settings, pid, options)
    })
  }
}

function isCommand(value: Source | readonly string[]): value is readonly string[] {
  return Array.isArray(value)
}

/** Undoes a call whose caller does not get the fleet. */
const leave = (fleet: Pick<RunningFleet, 'leave'>): Promise<void> => fleet.leave()
