import type { WhyReport } from '../model/cause.ts'
import type { Endpoint, SessionReport } from '../model/running.ts'
import type { SessionWork } from './call.ts'
import { wrong } from './check-options.ts'
import type { ServerEventKind, TestfleetEvent } from './events.ts'
import { SessionCalls } from './session-calls.ts'
import type { ActivityOptions, ServerActivity } from './types/activity.ts'
import type { Control, ControlOptions } from './types/control.ts'
import type { Diagnosis } from './types/doctor.ts'
import type { EnvironmentFormat, EnvironmentOptions, SessionHosts } from './types/environment.ts'
import type { ExecOptions, ExecResult } from './types/exec.ts'
import type { LogLine, LogsOptions } from './types/logs.ts'
import type { CallOptions, SessionOptions } from './types/options.ts'
import type { ServerEventsOptions } from './types/server-events.ts'
import type { CopyOptions, CopyResult } from './types/servers.ts'
import type { SessionSummary } from './types/sessions.ts'
import type { WhyOptions } from './types/why.ts'

/** Calls that look at, and into, sessions that run. */
export class LookCalls extends SessionCalls {
  /**
   * Returns where this process reaches the published ports of a server, by `PORT/PROTOCOL`.
   *
   * @internal
   */
  async endpoints(server: string, options: SessionOptions): Promise<Readonly<Record<string, Endpoint>>> {
    return this.operate('port', options, async (settings) => {
      return (await import('./calls/endpoints.ts')).endpoints(settings, server, options)
    })
  }

  /**
   * Does work of the command on a session that the library has no method for, such as what connects a terminal.
   *
   * @internal
   */
  async inSession<Result>(name: string, options: SessionOptions, work: SessionWork<Result>): Promise<Result> {
    return this.operate(name, options, async (settings) => {
      return (await import('./call.ts')).withSession(settings, options, work)
    })
  }

  /**
   * Returns the servers of a session as they are now. Their ready checks are asked again.
   *
   * @throws {TestfleetError} NO_SESSION, FLEET_FILE_NOT_FOUND
   * @example
   * const { servers } = await testfleet.ps({ session: 'shop' })
   * console.log(servers.db?.state)
   */
  async ps(options: SessionOptions = {}): Promise<SessionReport> {
    return this.operate('ps', options, async (settings) => {
      return (await import('./calls/sessions.ts')).ps(settings, options)
    })
  }

  /**
   * Says what was wrong with the servers during the last run of a fleet, and how that is known. It looks at a session that
   * runs, and else at the note that was kept when a session ended. `causes` is empty when nothing was wrong.
   *
   * @throws {TestfleetError} NO_SESSION when nothing is known of a run; FLEET_FILE_NOT_FOUND
   * @example
   * const { causes } = await testfleet.why({ session: 'shop' })
   * for (const { sentence, evidence } of causes) console.log(sentence, evidence)
   */
  async why(options: WhyOptions = {}): Promise<WhyReport> {
    return this.operate('why', options, async (settings) => {
      return (await import('./calls/why.ts')).why(settings, options)
    })
  }

  /**
   * Returns the variables that `run` gives its command.
   *
   * @throws {TestfleetError} NO_SESSION
   * @example
   * const { DATABASE_URL } = await testfleet.environment({ session: 'shop' })
   */
  async environment(options: EnvironmentOptions = {}): Promise<Readonly<Record<string, string>>> {
    return this.operate('endpoints', options, async (settings) => {
      return (await import('./calls/environment.ts')).environment(settings, options)
    })
  }

  /**
   * Returns the variables as the text of a file that other programs read.
   *
   * @throws {TestfleetError} NO_SESSION; USAGE when the format cannot express a value
   * @example
   * await writeFile('.env', await testfleet.environmentText('dotenv'))
   */
  async environmentText(format: EnvironmentFormat, options: EnvironmentOptions = {}): Promise<string> {
    return this.operate('endpoints', options, async (settings) => {
      return (await import('./calls/environment.ts')).environmentText(settings, format, options)
    })
  }

  /**
   * Returns the names of the servers of a session, and lines for /etc/hosts.
   *
   * @throws {TestfleetError} NO_SESSION
   * @example
   * for (const { address, names } of (await testfleet.hosts()).hosts) console.log(address, ...names)
   */
  async hosts(options: SessionOptions = {}): Promise<SessionHosts> {
    return this.operate('hosts', options, async (settings) => {
      return (await import('./calls/hosts.ts')).hosts(settings, options)
    })
  }

  /**
   * Returns every session on the engine, in the order of their names.
   *
   * @throws {TestfleetError} NO_ENGINE and the other codes of engines
   * @example
   * for (const { session, owner } of await testfleet.sessions()) console.log(session, owner)
   */
  async sessions(options: CallOptions = {}): Promise<readonly SessionSummary[]> {
    return this.operate('sessions', options, async (settings) => {
      return (await import('./calls/sessions.ts')).listAll(settings, options)
    })
  }

  /**
   * Returns what servers have logged, line by line; with `follow`, until all of them have ended.
   *
   * @throws {TestfleetError} NO_SESSION, UNKNOWN_SERVER
   * @example
   * for await (const { server, text } of testfleet.logs({ servers: ['db'], follow: true })) console.log(server, text)
   */
  async *logs(options: LogsOptions = {}): AsyncGenerator<LogLine, void, undefined> {
    const { logs } = await import('./calls/logs.ts')
    yield* this.operateStream('logs', options, (settings) => logs(settings, options))
  }

  /**
   * Returns what servers logged in a time, with secrets masked, and what happened to them.
   *
   * @internal
   */
  async activity(options: ActivityOptions): Promise<readonly ServerActivity[]> {
    return this.operate('logs', options, async (settings) => {
      return (await import('./calls/activity.ts')).activity(settings, options)
    })
  }

  /**
   * Follows what happens to the servers of a session, whatever causes it: this client, another process, or the server
   * itself. It ends once the session is taken down, or when its reader leaves the loop.
   *
   * @throws {TestfleetError} NO_SESSION; ENGINE_LOST when the engine goes and does not come back
   * @example
   * for await (const { time, kind, data } of testfleet.serverEvents({ session: 'shop' })) {
   *   if (kind === 'server.exited') console.log(time, data.server, data.exitCode)
   * }
   */
  async *serverEvents(
    options: ServerEventsOptions = {},
  ): AsyncGenerator<TestfleetEvent<ServerEventKind>, void, undefined> {
    const { serverEvents } = await import('./calls/server-events.ts')
    yield* this.operateStream('events', options, (settings, operation) => serverEvents(settings, operation, options))
  }

  /**
   * Runs a command, given as a list of arguments, inside a server of a session. An exit code other than 0 is a result.
   *
   * @throws {TestfleetError} USAGE, NO_SESSION, UNKNOWN_SERVER, COMMAND_NOT_FOUND, NOT_RUNNING, OUTPUT_TOO_LONG
   * @example
   * const { stdout } = await testfleet.exec('db', ['psql', '-Atc', 'select version()'], { session: 'shop' })
   */
  async exec(
    server: string,
    command: readonly string[],
    options: ExecOptions & SessionOptions = {},
  ): Promise<ExecResult> {
    return this.operate('exec', options, async (settings) => {
      return (await import('./calls/exec.ts')).exec(settings, server, command, options)
    })
  }

  /**
   * Copies a file or folder between this machine and a server. One end is `SERVER:PATH`.
   *
   * @throws {TestfleetError} USAGE, NO_SESSION, UNKNOWN_SERVER, COPY_FAILED
   * @example
   * await testfleet.copy('seed.sql', 'db:/tmp/')
   */
  async copy(from: string, to: string, options: CopyOptions & SessionOptions = {}): Promise<CopyResult> {
    return this.operate('cp', options, async (settings) => {
      return (await import('./calls/servers.ts')).copy(settings, from, to, options)
    })
  }

  /**
   * Starts, stops, restarts, kills, pauses or resumes servers of a session, and returns them as they are then. Servers
   * start after those that they depend on, and stop before them.
   *
   * @throws {TestfleetError} UNKNOWN_SERVER, SESSION_BUSY, NO_SESSION, NOT_RUNNING, READY_TIMEOUT, TIMED_OUT
   * @example
   * await testfleet.control({ verb: 'restart', waits: true, graceMs: undefined }, { servers: ['db'] })
   */
  async control(control: Control, options: ControlOptions = {}): Promise<SessionReport> {
    if (typeof control?.verb !== 'string') throw wrong('a control is', 'an object with a `verb`', control)
    return this.operate(control.verb, options, async (settings) => {
      return (await import('./calls/control.ts')).control(settings, control, options)
    })
  }

  /**
   * Returns which engine is used, why, and what is wrong with it.
   *
   * @throws {TestfleetError} NO_ENGINE, ENGINE_FORBIDDEN and the other codes of engines
   * @example
   * const { version, findings } = await testfleet.doctor()
   * console.log(version.product, version.version, findings)
   */
  async doctor(options: CallOptions = {}): Promise<Diagnosis> {
    return this.operate('doctor', options, async (settings) => {
      return (await import('./calls/doctor.ts')).doctor(settings, options)
    })
  }
}
