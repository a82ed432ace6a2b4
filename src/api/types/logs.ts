import type { CallOptions, SessionOptions } from './options.ts'

/** A line that a server has logged. */
export interface LogLine {
  readonly server: string
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** Options of the logs of one server. */
export interface ServerLogsOptions extends CallOptions {
  /** Waits for new lines until all servers have ended or the signal fires. Default: false. */
  readonly follow?: boolean | undefined
  /** Number of lines to return of each server, counted from the last one. Default: all lines. */
  readonly tail?: number | undefined
  /** Only lines that were written since then. Default: all lines. */
  readonly since?: Date | undefined
  /** Puts the time of each line before its text. Default: false. */
  readonly timestamps?: boolean | undefined
}

/** Options of `logs`. */
export interface LogsOptions extends SessionOptions, ServerLogsOptions {
  /** Names of the servers. Default: all. */
  readonly servers?: readonly string[] | undefined
}
