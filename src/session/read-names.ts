import { observeSession } from '../containers/observe.ts'
import { findAddresses } from '../endpoints/addresses.ts'
import type { NamedServer } from '../model/running.ts'
import type { Tools } from './tools.ts'

/** The servers of a session that run, with all that they are called from outside, by name. */
export async function readNames(session: string, { engine, signal }: Tools): Promise<NamedServer[]> {
  const observed = await observeSession(engine, session, { signal })
  const servers = [...observed.servers.values()]
    .filter(({ container, spec }) => container.state === 'running' && spec.hostname !== '')
    .map(({ name, container, spec }): NamedServer => {
      const { reachableIp, endpoints } = findAddresses(container, spec.ports, engine.location.remoteHost)
      return {
        server: name,
        names: [...new Set([spec.hostname, ...spec.aliases])],
        address: reachableIp,
        endpoints: Object.fromEntries(endpoints),
      }
    })
  return servers.sort((a, b) => (a.server < b.server ? -1 : 1))
}
