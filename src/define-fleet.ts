import type { FleetFile } from './model/fleet-file.ts'

/**
 * Types a fleet file that is a module; returns what it is given.
 *
 * @example
 * // testfleet.ts
 * export default defineFleet({ servers: { cache: { build: { packages: ['redis-server'] }, ports: [6379] } } })
 */
export function defineFleet(fleet: FleetFile): FleetFile {
  return fleet
}
