import { isIP } from 'node:net'
import type { NamedServer } from '../model/running.ts'

/** A line of /etc/hosts. */
export interface HostsEntry {
  readonly address: string
  readonly names: readonly string[]
}

/** Names that every machine gives itself. A server's alias of that name is not used from outside. */
const ofEveryMachine = ['localhost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback', 'broadcasthost']

/** Entries for the names of the servers, except those of this machine itself. */
export function toHostsEntries(servers: readonly NamedServer[], machineName: string): HostsEntry[] {
  const taken = new Set(
    [...ofEveryMachine, machineName, machineName.split('.')[0] ?? ''].map((name) => name.toLowerCase()),
  )
  return servers.flatMap((server) => {
    const address = server.address ?? findPublishedAddress(server)
    const names = server.names.filter((name) => !taken.has(name.toLowerCase()))
    return address === undefined || names.length === 0 ? [] : [{ address, names }]
  })
}

/** A name in /etc/hosts has one address, and that address is no name. */
function findPublishedAddress({ endpoints }: NamedServer): string | undefined {
  const [first, ...others] = new Set(Object.values(endpoints).map(({ host }) => host))
  return first !== undefined && others.length === 0 && isIP(first) !== 0 ? first : undefined
}

export function formatHostsEntries(entries: readonly HostsEntry[]): string {
  return entries.map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('')
}

/** Adds the fleet's lines to the machine's file, and removes the fleet's names from its other lines. */
export function addToHosts(machineFile: string, entries: readonly HostsEntry[]): string {
  const ours = new Set(entries.flatMap(({ names }) => names.map((name) => name.toLowerCase())))
  const lines = machineFile.split('\n').flatMap((line) => withoutNames(line, ours))
  const kept = lines.join('\n')
  return `${kept}${kept === '' || kept.endsWith('\n') ? '' : '\n'}${formatHostsEntries(entries)}`
}

/** The line without these names; no line when no name is left. */
function withoutNames(line: string, names: ReadonlySet<string>): string[] {
  const [address = '', ...all] = line.replace(/#.*/s, '').trim().split(/\s+/)
  const others = all.filter((name) => !names.has(name.toLowerCase()))
  if (others.length === all.length) return [line]
  return others.length === 0 ? [] : [`${address}\t${others.join(' ')}`]
}
