import type { FleetFile } from '../model/fleet-file.ts'
import type { StrictFleet } from './types/strict-fleet.ts'

/**
 * Types a fleet file that is a module. Returns what it is given, unchanged.
 *
 * The type of the result has the names, ports and exports of the fleet's servers, those of presets included. An unknown key, preset
 * or option is a type error.
 *
 * @example
 * // testfleet.ts
 * export default defineFleet({ servers: { cache: { preset: 'redis' } } })
 */
export function defineFleet<const F extends FleetFile>(fleet: F & StrictFleet<F>): F {
  return fleet
}
