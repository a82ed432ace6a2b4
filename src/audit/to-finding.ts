import type { FindingId, Severity } from '../model/finding.ts'
import type { Fleet, Position } from '../model/fleet.ts'
import { catalogue } from './catalogue.ts'
import type { Place, Sighting } from './subject.ts'

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

/** What a rule has seen, with what the catalogue says of it and the line where it stands. */
export function toFinding({ id, server, at, message, severity }: Sighting, fleet: Fleet): Finding {
  const { severity: usual, why, hint, cwe } = catalogue[id]
  return { id, severity: severity ?? usual, server, ...positionOf(at, fleet), message, why, hint, cwe: `CWE-${cwe}` }
}

function positionOf(at: Place, { source }: Fleet): Position {
  if ('position' in at) return at.position
  return 'key' in at ? source.locateKey(at.key) : source.locate(at.value)
}
