import type { FleetFile } from '../model/fleet-file.ts'
import type { RunningFleet } from './running-fleet.ts'
import { Testfleet } from './testfleet.ts'
import type { JoinOptions } from './types/join.ts'
import type { FleetSource, TestfleetOptions } from './types/options.ts'
import type { StartOptions } from './types/start.ts'

/**
 * Builds, starts, and resolves once every server is ready: `new Testfleet(options).start(source, options)`.
 *
 * @param source The fleet file's path, or the fleet as an object. Default: the nearest fleet file, here or above.
 * @throws {TestfleetError} Any code of the catalogue; what had been started is gone by then, and `bundle` names the
 *   folder with all that is known of it.
 * @example
 * await using fleet = await startFleet('./testfleet.yaml', { servers: ['apache2'] })
 * const { host, port } = fleet.server('apache2').endpoint(80)
 */
export async function startFleet<const F extends FleetFile = FleetFile>(
  source?: FleetSource<F>,
  options: StartOptions<F> & TestfleetOptions = {},
): Promise<RunningFleet<F>> {
  return new Testfleet(options).start(source, options)
}

/**
 * Joins a session that runs: `new Testfleet(options).join(session, options)`.
 *
 * @param session Its name. Default: that in TESTFLEET_SESSION, which a command under `testfleet run` has; else the
 *   session of this checkout, which `testfleet up` made from the fleet file that is here or above.
 * @throws {TestfleetError} NO_SESSION, USAGE, FLEET_FILE_NOT_FOUND
 * @example
 * await using fleet = await joinFleet()
 * const { host, port } = fleet.server('apache2').endpoint(80)
 */
export async function joinFleet<F extends FleetFile = FleetFile>(
  session?: string,
  options: JoinOptions & TestfleetOptions = {},
): Promise<RunningFleet<F>> {
  return new Testfleet(options).join(session, options)
}
