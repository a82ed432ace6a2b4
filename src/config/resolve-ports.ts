import { MOST_PORTS, readPortRange } from '../formats/port-range.ts'
import type { FieldPath, Port, ReadyCheck } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import type { ReportMistake } from './document.ts'

export type PortItem = NonNullable<ServerDeclaration['ports']>[number]

/** The ports of a server, and for each of them the index of its item of `ports`. */
export interface ResolvedPorts {
  readonly ports: readonly Port[]
  readonly portItems: readonly number[]
}

export function resolvePorts(items: readonly PortItem[], at: FieldPath, report: ReportMistake): ResolvedPorts {
  let count = 0
  const resolved = items.flatMap((item, index) => {
    const ports = count > MOST_PORTS ? [] : portsOf(item)
    count += ports.length
    if (ports.length > 0 && count > MOST_PORTS) report([...at, index], `a server publishes at most ${MOST_PORTS} ports`)
    // The item of the preset's ports has been removed.
    const isKept = typeof item !== 'object' || item.publish !== false
    if (!isKept) report([...at, index], `there is no port ${nameItem(item)} of a preset that could be left out`)
    return isKept ? ports.map((port) => ({ port, index })) : []
  })
  return { ports: resolved.map(({ port }) => port), portItems: resolved.map(({ index }) => index) }
}

/** Returns the ports of an item; none for an invalid one. */
export function portsOf(item: PortItem): Port[] {
  const { container, host, protocol, address }: Exclude<PortItem, string | number> =
    typeof item === 'object' ? item : { container: item }
  const range = readPortRange(container)
  if (range === undefined) return []
  const firstOfHost = host === undefined ? undefined : readPortRange(host)?.first
  return Array.from({ length: range.last - range.first + 1 }, (_, offset) => ({
    container: range.first + offset,
    protocol: protocol ?? range.protocol ?? 'tcp',
    host: firstOfHost === undefined ? undefined : firstOfHost + offset,
    address,
  }))
}

function nameItem(item: PortItem): string {
  const { container, protocol = 'tcp' } = typeof item === 'object' ? item : { container: item }
  return `${container}/${protocol}`
}

/** Often nothing listens on most ports of a range, as for the data connections of FTP. */
export function defaultReadyChecks(items: readonly PortItem[]): ReadyCheck[] {
  const single = items.map(portsOf).filter(({ length }) => length === 1)
  const ofTcp = single.flat().filter(({ protocol }) => protocol === 'tcp')
  return [...new Set(ofTcp.map(({ container }) => container))].map((port) => ({ kind: 'tcp', port }))
}
