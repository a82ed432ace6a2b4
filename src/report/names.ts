import { isProcessId } from '../model/process-id.ts'
import type { NamedServer } from '../model/running.ts'
import type { SessionRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tools } from '../tools.ts'
import { type ObservedServers, observeServers } from './report.ts'

/** Returns the running and paused servers of a session, with their names and addresses. */
export async function readNames(record: SessionRecord, { runtime, signal }: Tools): Promise<NamedServer[]> {
  const observed = await observeServers(record, runtime, { signal })
  return nameServers(observed, runtime)
}

/** Returns the names and addresses of the servers that run or are paused. */
export function nameServers(observed: ObservedServers, runtime: Runtime): NamedServer[] {
  const servers = [...observed.values()]
    .filter(
      ({ container, spec }) =>
        /^(?:running|paused)$/.test(container.state) && spec.hostname !== '' && spec.external === undefined,
    )
    .map(({ name, container, spec }): NamedServer => {
      const { reachableIp, endpoints } = runtime.reach(container, spec.ports)
      return {
        server: name,
        names: [...new Set([spec.hostname, ...spec.aliases])],
        // It listens there, at its real ports.
        address: isProcessId(container.id) ? '127.0.0.1' : reachableIp,
        endpoints: Object.fromEntries(endpoints),
      }
    })
  return servers.sort((a, b) => (a.server < b.server ? -1 : 1))
}
