import type { SessionOptions, TimedOptions, TimelineOptions } from './options.ts'

/** What to do with servers. */
export type Control =
  /** `waits`: until they are ready again. */
  | { readonly verb: 'start' | 'resume'; readonly waits: boolean }
  | { readonly verb: 'restart'; readonly waits: boolean; readonly graceMs: number | undefined }
  /** `graceMs`: how long a server has to obey its stop signal. Undefined: its `stopGracePeriod`, or else 10 s. */
  | { readonly verb: 'stop'; readonly graceMs: number | undefined }
  /** `signal`: such as `SIGHUP`. */
  | { readonly verb: 'kill'; readonly signal: string }
  | { readonly verb: 'pause' }

/** Options of `control`. */
export interface ControlOptions extends SessionOptions, TimedOptions, TimelineOptions {
  /** Names of the servers. Default: all. */
  readonly servers?: readonly string[] | undefined
  /** Works also while other processes hold the session. Default: false. */
  readonly force?: boolean | undefined
}
