import { hostOf, loadSource } from '../call.ts'
import type { LoadedFleet } from '../types/load.ts'
import type { Source, TestfleetOptions } from '../types/options.ts'

export async function load(client: TestfleetOptions, source: Source): Promise<LoadedFleet> {
  const { name, domain, file, folder, servers } = await loadSource(source, [], hostOf(client))
  const described = [...servers.values()].map((server) => {
    const names = [`${server.name}.${domain}`, ...server.aliases]
    const ports = server.ports.map(({ container: port, protocol }) => ({ port, protocol }))
    return [server.name, { names, dependsOn: server.dependsOn, ports }] as const
  })
  return { name, domain, file, folder, servers: Object.fromEntries(described) }
}
