import type { FindingId } from './finding-ids.ts'
import type { Position } from './fleet.ts'

/** From the least to the most. */
export const severities = ['low', 'medium', 'high', 'critical'] as const

export type Severity = (typeof severities)[number]

/** One thing in a fleet that can be attacked, leak, or break; plain data, which JSON and SARIF are made from. */
export interface Finding extends Position {
  readonly id: FindingId
  readonly severity: Severity
  /** Undefined where it is about the fleet, or about the base of several servers. */
  readonly server: string | undefined
  readonly message: string
  readonly why: string
  readonly hint: string
  /** Such as `CWE-798`. */
  readonly cwe: string
}
