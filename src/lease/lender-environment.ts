import { loadFleet } from '../config/load-fleet.ts'
import { stateFolder } from '../files/state-folder.ts'
import { traceEnvironment } from '../lender/trace-environment.ts'
import type { Host } from '../model/host.ts'
import { keeperSocket } from '../sessions/keeper/protocol.ts'
import type { FleetOrder } from './order.ts'

/**
 * Returns the variables that a lender needs: those that the fleet is loaded with, and those that say where sockets and keys
 * are. It keeps them as long as the session lives, so it gets none that it does not read. Copies have the secrets of their
 * server, never those of the environment.
 */
export async function readNeeded(fleet: FleetOrder, host: Host): Promise<Readonly<Record<string, string>>> {
  const known = host.socketEnvironment ?? host.environment
  const { environment, names } = traceEnvironment(known)
  const traced = { ...host, environment, socketEnvironment: environment }
  stateFolder(traced)
  keeperSocket('', traced)
  // The lender reports a fleet with mistakes to those who need it: databases are lent without one.
  await loadFleet(fleet, traced).catch(() => {})
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = known[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
}
