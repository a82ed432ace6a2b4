import { isIP } from 'node:net'
import type { NamedServer } from '../model/running.ts'

/** A line of /etc/hosts. */
export interface HostsEntry {
  readonly address: string
  readonly names: readonly string[]
}

/** Names of every machine. A server's alias with such a name works only inside the fleet. */
const ofEveryMachine = ['localhost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback', 'broadcasthost']

/** Removes the names of this machine itself from the servers. */
export function leaveMachineNames(servers: readonly NamedServer[], machineName: string): NamedServer[] {
  const taken = new Set(
    [...ofEveryMachine, machineName, machineName.split('.')[0] ?? ''].map((name) => name.toLowerCase()),
  )
  return servers.map((server) => ({ ...server, names: server.names.filter((name) => !taken.has(name.toLowerCase())) }))
}

/** Entries for the names of the servers, except those of this machine itself. */
export function toHostsEntries(servers: readonly NamedServer[], machineName: string): HostsEntry[] {
  return leaveMachineNames(servers, machineName).flatMap((server) => {
    const address = server.address ?? findPublishedAddress(server)
    return address === undefined || server.names.length === 0 ? [] : [{ address, names: server.names }]
  })
}

/** Returns the address of the published ports if it is an IP address and the same for all of them. */
function findPublishedAddress({ endpoints }: NamedServer): string | undefined {
  const [first, ...others] = new Set(Object.values(endpoints).map(({ host }) => host))
  return first !== undefined && others.length === 0 && isIP(first) !== 0 ? first : undefined
}

function formatHostsEntries(entries: readonly HostsEntry[]): string {
  return entries.map(({ address, names }) => `${address}\t${names.join(' ')}\n`).join('')
}

/** Name that leads elsewhere in the file than to the server of this session. */
export interface Misleading {
  readonly name: string
  readonly address: string
}

/** Finds a name for which the file has another address than these entries, or which they do not have. */
export function findMisleading(
  file: string,
  entries: readonly HostsEntry[],
  isWanted: (name: string) => boolean,
): Misleading | undefined {
  const right = new Map(
    entries.flatMap(({ address, names }) => names.map((name) => [name.toLowerCase(), address] as const)),
  )
  return readLines(file)
    .flatMap(({ address, names }) => names.map((name) => ({ name, address })))
    .find(({ name, address }) => isWanted(name) && right.get(name.toLowerCase()) !== address)
}

/**
 * Removes the lines of an outer session's servers in this domain. The full name of a server is the first in its line.
 */
export function withoutSession(file: string, isOfSession: (name: string) => boolean): string {
  return file
    .split('\n')
    .filter((line) => !readLines(line).some(({ names: [first = ''] }) => isOfSession(first)))
    .join('\n')
}

function readLines(file: string): HostsEntry[] {
  return file.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/s, '').trim().split(/\s+/)
    return names.length === 0 ? [] : [{ address, names }]
  })
}

/** Adds the fleet's lines to the machine's file, and removes the fleet's names from all other lines. */
export function addToHosts(machineFile: string, entries: readonly HostsEntry[]): string {
  const kept = removeFromHosts(
    machineFile,
    entries.flatMap(({ names }) => names),
  )
  return `${kept}${kept === '' || kept.endsWith('\n') ? '' : '\n'}${formatHostsEntries(entries)}`
}

export function removeFromHosts(file: string, names: readonly string[]): string {
  const removed = new Set(names.map((name) => name.toLowerCase()))
  return file
    .split('\n')
    .flatMap((line) => withoutNames(line, removed))
    .join('\n')
}

/** Returns the line without these names; no line if no name is left. */
function withoutNames(line: string, names: ReadonlySet<string>): string[] {
  const [address = '', ...all] = line.replace(/#.*/s, '').trim().split(/\s+/)
  const others = all.filter((name) => !names.has(name.toLowerCase()))
  if (others.length === all.length) return [line]
  return others.length === 0 ? [] : [`${address}\t${others.join(' ')}`]
}
