import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'

/** The named servers and all that they depend on, in the order of the file; no name is all. Fails with UNKNOWN_SERVER. */
export function selectServers(fleet: Fleet, names: readonly string[]): Server[] {
  if (names.length === 0) return [...fleet.servers.values()]
  const selected = new Set<string>()
  const add = (name: string): void => {
    const server = fleet.servers.get(name)
    if (server === undefined) throw unknownServer(name, fleet.servers.keys())
    if (selected.has(name)) return
    selected.add(name)
    server.dependsOn.forEach(add)
  }
  names.forEach(add)
  return [...fleet.servers.values()].filter((server) => selected.has(server.name))
}

export function unknownServer(name: string, known: Iterable<string>): TestfleetError {
  const names = [...known].join(', ')
  return new TestfleetError('UNKNOWN_SERVER', `there is no server \`${name}\``, { hint: `The servers are: ${names}.` })
}
