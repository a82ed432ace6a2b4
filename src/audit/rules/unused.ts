import type { Sighting, Subject } from '../subject.ts'

/** Servers that nothing reaches, as far as the file says. One that depends on others, or ends by itself, does its work alone. */
export function* findUnused({ fleet }: Subject): Iterable<Sighting> {
  const needed = new Set([...fleet.servers.values()].flatMap(({ dependsOn }) => dependsOn))
  for (const { name, ports, export: exported, dependsOn, ready } of fleet.servers.values()) {
    const isReached = ports.length > 0 || exported.size > 0 || needed.has(name)
    if (isReached || dependsOn.length > 0 || ready.some(({ kind }) => kind === 'exit')) continue
    const message = 'it has no port and no export, and no server depends on it'
    yield { id: 'server-unused', server: name, at: { key: ['servers', name] }, message }
  }
}
