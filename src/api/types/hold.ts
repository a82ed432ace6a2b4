/** A session that another process holds, or has held. */
export interface HeldSession {
  readonly session: string
  readonly pid: number
  /** How many other processes hold it. */
  readonly held: number
  /** Whether the session stays when no process holds it any more, as a session of `up` does. */
  readonly stays: boolean
}
