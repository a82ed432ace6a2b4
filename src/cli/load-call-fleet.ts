import { loadFleet } from '../config/load-fleet.ts'
import type { Fleet } from '../model/fleet.ts'
import { selectServers } from '../plan/select-servers.ts'
import { type Call, choice } from './call.ts'

/** The fleet, of which these servers are asked for. Fails with UNKNOWN_SERVER, too, before anything is touched. */
export async function loadCallFleet(call: Call, servers: readonly string[] = call.servers): Promise<Fleet> {
  const fleet = await loadFleet({ kind: 'file', named: call.file }, call.host)
  selectServers(fleet, servers)
  return fleet
}

export function bindOption(call: Call): 'free' | 'fixed' {
  return choice(call, 'bind', ['free', 'fixed']) ?? 'free'
}
