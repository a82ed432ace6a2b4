import type { FieldPath, Fleet, Ignore } from '../model/fleet.ts'
import { type Finding, toFinding } from './to-finding.ts'

export type IgnoredFinding = Finding & { readonly reason: string }

interface Entry extends Ignore {
  /** Undefined for all servers. */
  readonly server: string | undefined
  readonly at: FieldPath
}

/** Parts what the fleet file says may stay from what stands, and finds what it says for nothing. */
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
    .filter((entry) => !used.has(entry))
    .map(({ id, server, at }) =>
      toFinding(
        { id: 'ignore-unused', server, at: { value: at }, message: `there is no \`${id}\` here to ignore` },
        fleet,
      ),
    )
  return { standing: [...standing, ...unused], ignored }
}

/** Those of servers first: what says more about it gives the reason. */
function listEntries(fleet: Fleet): Entry[] {
  const own = [...fleet.servers.values()].flatMap(({ name, ignore }) =>
    ignore.map((entry, index) => ({ ...entry, server: name, at: ['servers', name, 'ignore', index] })),
  )
  return [...own, ...fleet.ignore.map((entry, index) => ({ ...entry, server: undefined, at: ['ignore', index] }))]
}
