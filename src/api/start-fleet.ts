import type { FleetFile } from '../model/fleet-file.ts'
import type { RunningFleet } from './running-fleet.ts'
import { Testfleet } from './testfleet.ts'
import type { JoinOptions } from './types/join.ts'
import type { FleetSource, TestfleetOptions } from './types/options.ts'
import type { StartOptions } from './types/start.ts'

/**
 * Builds what is missing, starts the servers of a fleet and resolves once all of them are ready. The session is new, and is
 * removed when this process has ended and every other process that joined it has left. It is short for
 * `new Testfleet(options).start(source, options)`.
 *
 * @param source Path of a fleet file, or the fleet as an object. Default: the nearest fleet file, in this folder or above.
 * @throws {TestfleetError} Any code of docs/failures.md. Everything that was started is removed by then, unless `keep` is
 *   set, and `bundle` is the folder with logs and events of the failure.
 * @example
 * await using fleet = await startFleet({ servers: { db: { preset: 'postgresql' } } })
 * const client = new pg.Client(fleet.exports.DATABASE_URL)
 * @example
 * await using fleet = await startFleet('./testfleet.yaml', { servers: ['web'] })
 * const { host, port } = fleet.server('web').endpoint(80)
 */
export async function startFleet<const F extends FleetFile = FleetFile>(
  source?: FleetSource<F>,
  options: StartOptions<F> & TestfleetOptions = {},
): Promise<RunningFleet<F>> {
  return new Testfleet(options).start(source, options)
}

/**
 * Joins a running session, of this program or another one. The session stays at least until the fleet is left. It is short
 * for `new Testfleet(options).join(session, options)`.
 *
 * @param session Name of the session. Default: the value of TESTFLEET_SESSION, which is set for a command under
 *   `testfleet run`; without it, the session that `testfleet up` made from the fleet file in this folder or above.
 * @throws {TestfleetError} NO_SESSION, USAGE, FLEET_FILE_NOT_FOUND
 * @example
 * await using fleet = await joinFleet()
 * const { host, port } = fleet.server('web').endpoint(80)
 */
export async function joinFleet<F extends FleetFile = FleetFile>(
  session?: string,
  options: JoinOptions & TestfleetOptions = {},
): Promise<RunningFleet<F>> {
  return new Testfleet(options).join(session, options)
}
