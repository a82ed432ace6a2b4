import { loadFleet } from '../config/load-fleet.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { StandbySource } from './protocol.ts'

/** Loads the fleet of an order as a caller with this environment would. */
export function loadStandbyFleet(source: StandbySource, host: Host): Promise<Fleet> {
  return loadFleet(source.kind === 'file' ? { kind: 'file', named: source.path } : { ...source, kind: 'object' }, host)
}
