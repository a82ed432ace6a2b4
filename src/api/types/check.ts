/** A fleet file that is valid, and the risks in it: the worst first, then in the order of the file. */
export interface CheckResult {
  /** The fleet file, as messages show it. */
  readonly file: string
  readonly servers: readonly string[]
  readonly findings: readonly Finding[]
  /** What the fleet file says may stay. */
  readonly ignored: readonly IgnoredFinding[]
}

/** One thing in a fleet that can be attacked, leak, or break. */
export interface Finding {
  /** Such as `secret-in-environment`. */
  readonly id: string
  readonly severity: 'low' | 'medium' | 'high' | 'critical'
  /** Undefined where it is about the fleet, or about the base of several servers. */
  readonly server: string | undefined
  readonly file: string
  readonly line: number | undefined
  readonly column: number | undefined
  readonly message: string
  readonly why: string
  readonly hint: string
  /** Such as `CWE-798`. */
  readonly cwe: string
}

export interface IgnoredFinding extends Finding {
  /** The reason that the fleet file gives. */
  readonly reason: string
}
