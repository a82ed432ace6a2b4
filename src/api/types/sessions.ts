/** A session on the engine, as `sessions` returns it. */
export interface SessionSummary {
  /** Name of the session. */
  readonly session: string
  /** URL of its engine. */
  readonly engine: string
  /** Id that is a label of everything that the session owns. */
  readonly id: string
  /** Name of its fleet. */
  readonly fleet: string
  /** Folder of its fleet file; undefined for a fleet that a program gave as an object. */
  readonly folder: string | undefined
  /** Who made it, as `user@host`. */
  readonly owner: string
  /** Milliseconds since it was made. */
  readonly ageMs: number
  /** Processes that hold it; empty when no process does. */
  readonly heldBy: readonly string[]
  /** `changing` while a call works on it; `standby` for a ready copy that nobody has used yet. */
  readonly state: 'up' | 'changing' | 'standby'
  /** When it ends by itself, in milliseconds since 1970. */
  readonly untilMs: number | undefined
  /** Number of its servers. */
  readonly servers: number
  /** Number of its servers that run. */
  readonly running: number
}
