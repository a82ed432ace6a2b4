import type { Finding } from '../model/finding.ts'
import type { Fleet, Position } from '../model/fleet.ts'
import { catalogue } from './catalogue.ts'
import type { Place, Sighting } from './subject.ts'

/** What a rule has seen, with what the catalogue says of it and the line where it stands. */
export function toFinding({ id, server, at, message, severity }: Sighting, fleet: Fleet): Finding {
  const { severity: usual, why, hint, cwe } = catalogue[id]
  return { id, severity: severity ?? usual, server, ...positionOf(at, fleet), message, why, hint, cwe: `CWE-${cwe}` }
}

function positionOf(at: Place, { source }: Fleet): Position {
  if ('position' in at) return at.position
  return 'key' in at ? source.locateKey(at.key) : source.locate(at.value)
}
