import { isIP } from 'node:net'
import type { NamedServer } from '../model/running.ts'

/** An address and what is called by it: a line of /etc/hosts. */
export interface HostsEntry {
  readonly address: string
  readonly names: readonly string[]
}

/** What every machine calls itself, and a server that is called so too is not called from outside. */
const ofEveryMachine = ['localhost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback', 'broadcasthost']

/** Where the servers' names lead from this machine. `machineName` stays the machine's own. */
export function toHostsEntries(servers: readonly NamedServer[], machineName: string): HostsEntry[] {
  const taken = new Set([...ofEveryMachine, machineName, machineName.split('.')[0] ?? ''].map(fold))
  return servers.flatMap((server) => {
    const address = server.address ?? findPublishedAddress(server)
    const names = server.names.filter((name) => !taken.has(fold(name)))
    return address === undefined || names.length === 0 ? [] : [{ address, names }]
  })
}

/** A name cannot lead to several addresses, nor to another name. */
function findPublishedAddress({ endpoints }: NamedServer): string | undefined {
  const [first, ...others] = new Set(Object.values(endpoints).map(({ host }) => host))
  return first !== undefined && others.length === 0 && isIP(first) !== 0 ? first : undefined
}

export function formatHostsEntries(entries: readonly HostsEntry[]): string {
  return entries.map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('')
}

/** The machine's own file with the fleet's lines; where it has one of these names already, the fleet's goes before it. */
export function addToHosts(machineFile: string, entries: readonly HostsEntry[]): string {
  const ours = new Set(entries.flatMap(({ names }) => names.map(fold)))
  const lines = machineFile.split('\n').flatMap((line) => withoutNames(line, ours))
  const kept = lines.join('\n')
  return `${kept}${kept === '' || kept.endsWith('\n') ? '' : '\n'}${formatHostsEntries(entries)}`
}

/** The line as it is when it has none of them; nothing when it has no other. */
function withoutNames(line: string, names: ReadonlySet<string>): string[] {
  const [address = '', ...all] = line.replace(/#.*/s, '').trim().split(/\s+/)
  const others = all.filter((name) => !names.has(fold(name)))
  if (others.length === all.length) return [line]
  return others.length === 0 ? [] : [`${address}\t${others.join(' ')}`]
}

function fold(name: string): string {
  return name.toLowerCase()
}
