import type { SessionReport } from '../model/running.ts'
import { SessionCalls } from './session-calls.ts'
import type { Diagnosis } from './types/doctor.ts'
import type { ExecOptions, ExecResult } from './types/exec.ts'
import type { LogLine, LogsOptions } from './types/logs.ts'
import type { CallOptions, SessionOptions } from './types/options.ts'
import type { SessionSummary } from './types/sessions.ts'

/** Calls that look at, and into, sessions that run. */
export class LookCalls extends SessionCalls {
  /** Returns the servers of a session as they are now: their ready checks are asked again. */
  async ps(options: SessionOptions = {}): Promise<SessionReport> {
    return (await import('./calls/sessions.ts')).ps(this.settings, options)
  }

  /** Returns every session on the engine, in the order of their names. */
  async sessions(options: CallOptions = {}): Promise<readonly SessionSummary[]> {
    return (await import('./calls/sessions.ts')).listAll(this.settings, options)
  }

  /**
   * Returns what servers have logged, line by line; with `follow`, until all of them have ended.
   *
   * @example
   * for await (const { server, text } of testfleet.logs({ servers: ['db'], follow: true })) console.log(server, text)
   */
  async *logs(options: LogsOptions = {}): AsyncGenerator<LogLine, void, undefined> {
    yield* (await import('./calls/logs.ts')).logs(this.settings, options)
  }

  /**
   * Runs a command inside a server of a session, as a list of arguments. An exit code other than 0 is a result.
   *
   * @throws {TestfleetError} NO_SESSION, UNKNOWN_SERVER, COMMAND_NOT_FOUND, NOT_RUNNING, OUTPUT_TOO_LONG
   */
  async exec(
    server: string,
    command: readonly string[],
    options: ExecOptions & SessionOptions = {},
  ): Promise<ExecResult> {
    return (await import('./calls/exec.ts')).exec(this.settings, server, command, options)
  }

  /** Returns which engine is used, why, and what is wrong with it. */
  async doctor(options: CallOptions = {}): Promise<Diagnosis> {
    return (await import('./calls/doctor.ts')).doctor(this.settings, options)
  }
}
