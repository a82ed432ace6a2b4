import type { SessionOptions } from './options.ts'

export interface LogLine {
  readonly server: string
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

export interface LogsOptions extends SessionOptions {
  /** Default: all. */
  readonly servers?: readonly string[] | undefined
  /** Goes on as they log, until all of them have ended or the signal fires. */
  readonly follow?: boolean | undefined
  /** Only the last lines of each server: how many. */
  readonly tail?: number | undefined
  /** Puts the time of each line before it. */
  readonly timestamps?: boolean | undefined
}
