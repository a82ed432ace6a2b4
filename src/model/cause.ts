/** Name of a rule of `why`. */
export type RuleName =
  | 'image'
  | 'port-taken'
  | 'not-started'
  | 'out-of-memory'
  | 'hook'
  | 'died'
  | 'restarted'
  | 'port-refused'
  | 'never-ready'
  | 'failed'

/** What was wrong with one server, and how that is known. */
export interface Cause {
  readonly rule: RuleName
  /** Name of the server; undefined when it is not about one server. */
  readonly server?: string | undefined
  /** What was wrong, in one sentence without a full stop. */
  readonly sentence: string
  /** What it is concluded from: exit code, limit, answers, and the last lines of the log, which begin with `log: `. */
  readonly evidence: readonly string[]
  /** Place in the fleet file where it can be changed, if that file is there. */
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** What to do about it. */
  readonly hint?: string | undefined
}

/** What was wrong with the servers during the last run of a fleet. */
export interface WhyReport {
  /** Name of the session. */
  readonly session: string
  /** Name of its fleet. */
  readonly fleet: string
  /** When it ended, as an ISO 8601 time; undefined for a session that still runs. */
  readonly endedAt?: string | undefined
  /** In the order of the rules; empty when nothing was wrong. */
  readonly causes: readonly Cause[]
}
