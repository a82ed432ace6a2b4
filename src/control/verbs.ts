/** Changes to the state of servers. `waits`: wait until they are ready again. */
export type Control =
  | { readonly verb: 'start' | 'resume'; readonly waits: boolean }
  | { readonly verb: 'restart'; readonly waits: boolean; readonly graceMs: number | undefined }
  /** `graceMs`: how long a server has to obey its stop signal. Default: its `stopGracePeriod`, or else 10 s. */
  | { readonly verb: 'stop'; readonly graceMs: number | undefined }
  | { readonly verb: 'kill'; readonly signal: string }
  | { readonly verb: 'pause' }
