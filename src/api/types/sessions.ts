/** A session on the engine. */
export interface SessionSummary {
  readonly session: string
  /** The id that is the label of everything that the session owns. */
  readonly id: string
  readonly fleet: string
  /** Folder of its fleet file; undefined for a fleet that a program gave as an object. */
  readonly folder: string | undefined
  /** user@host */
  readonly owner: string
  readonly ageMs: number
  /** The processes that hold it; empty for a session that nobody holds. */
  readonly heldBy: readonly string[]
  /** `changing` while a call works on it. */
  readonly state: 'up' | 'changing'
  /** When it ends by itself, in milliseconds since 1970. */
  readonly untilMs: number | undefined
  /** How many servers it has, and how many of them run. */
  readonly servers: number
  readonly running: number
}
