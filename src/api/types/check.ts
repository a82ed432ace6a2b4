import type { TestfleetError } from '../../model/failures.ts'
import type { Position } from '../../model/fleet.ts'

/** Result of `check`: a valid fleet file and the risks in it, the most severe first, then in the order of the file. */
export interface CheckResult {
  /** Fleet file, as messages show it. */
  readonly file: string
  /** Names of the servers. */
  readonly servers: readonly string[]
  /** Risks that the fleet file does not ignore. */
  readonly findings: readonly Finding[]
  /** Risks that the fleet file ignores, each with its reason. */
  readonly ignored: readonly IgnoredFinding[]
}

/** A risk in a fleet: something that can be attacked, leak or break. See docs/audit.md for all of them. */
export interface Finding extends Position {
  /** Name of the rule, such as `secret-in-environment`. */
  readonly id: string
  readonly severity: 'low' | 'medium' | 'high' | 'critical'
  /** Server that has the risk; undefined when the whole fleet has it, or the base of several servers. */
  readonly server: string | undefined
  /** What was found. */
  readonly message: string
  /** Why it is a risk. */
  readonly why: string
  /** What to do about it. */
  readonly hint: string
  /** Weakness in the list of MITRE, such as `CWE-798`. */
  readonly cwe: string
}

/** A risk that the fleet file ignores. */
export interface IgnoredFinding extends Finding {
  /** Reason that the fleet file gives. */
  readonly reason: string
}

/** Result of `sarif`. */
export interface SarifResult {
  /** A log of SARIF 2.1.0. */
  readonly log: object
  /** The same risks. */
  readonly findings: readonly Finding[]
  /** Why the fleet could not be checked, such as the mistakes of its file. */
  readonly error: TestfleetError | undefined
}
