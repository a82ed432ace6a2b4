import type { FindingId, Severity } from '../model/finding.ts'
import type { FieldPath, Fleet, Ignore, Position } from '../model/fleet.ts'
import { catalogue } from './catalogue.ts'
import type { Place, Sighting } from './subject.ts'

/** One thing in a fleet that can be attacked, leak, or break. Plain data, the source of JSON and SARIF. */
export interface Finding extends Position {
  readonly id: FindingId
  readonly severity: Severity
  /** Undefined if it is about the fleet, or about the base of several servers. */
  readonly server: string | undefined
  readonly message: string
  readonly why: string
  readonly hint: string
  /** Such as `CWE-798`. */
  readonly cwe: string
}

export type IgnoredFinding = Finding & { readonly reason: string }

/** Findings of a fleet: the most severe first, then in the order of the file. */
export interface Audit {
  readonly findings: readonly Finding[]
  /** Findings that the fleet file ignores. */
  readonly ignored: readonly IgnoredFinding[]
}

interface Entry extends Ignore {
  /** Undefined for all servers. */
  readonly server: string | undefined
  readonly at: FieldPath
}

/** Separates ignored findings from the others, and reports each `ignore` without a matching finding. */
export function setAside(
  findings: readonly Finding[],
  fleet: Fleet,
): { readonly standing: readonly Finding[]; readonly ignored: readonly IgnoredFinding[] } {
  const entries = listEntries(fleet)
  const used = new Set<Entry>()
  const standing: Finding[] = []
  const ignored: IgnoredFinding[] = []
  for (const finding of findings) {
    const entry = entries.find(({ id, server }) => id === finding.id && (server ?? finding.server) === finding.server)
    if (entry === undefined) standing.push(finding)
    else {
      used.add(entry)
      ignored.push({ ...finding, reason: entry.reason })
    }
  }
  const unused = entries
    // A preset gives reasons for every option, and its user cannot remove them.
    .filter((entry) => !used.has(entry) && fleet.source.originOf(entry.at) === 'file')
    .map(({ id, server, at }) =>
      toFinding(
        { id: 'ignore-unused', server, at: { value: at }, message: `there is no \`${id}\` here to ignore` },
        fleet,
      ),
    )
  return { standing: [...standing, ...unused], ignored }
}

/** Entries of servers first: the more specific entry gives the reason. */
function listEntries(fleet: Fleet): Entry[] {
  const own = [...fleet.servers.values()].flatMap(({ name, ignore }) =>
    ignore.map((entry, index) => ({ ...entry, server: name, at: ['servers', name, 'ignore', index] })),
  )
  return [...own, ...fleet.ignore.map((entry, index) => ({ ...entry, server: undefined, at: ['ignore', index] }))]
}

/** Combines a rule's sighting with its entry in the catalogue and its position. */
export function toFinding({ id, server, at, message, severity }: Sighting, fleet: Fleet): Finding {
  const { severity: usual, why, hint, cwe } = catalogue[id]
  return { id, severity: severity ?? usual, server, ...positionOf(at, fleet), message, why, hint, cwe }
}

function positionOf(at: Place, { source }: Fleet): Position {
  if ('position' in at) return at.position
  return 'key' in at ? source.locateKey(at.key) : source.locate(at.value)
}
