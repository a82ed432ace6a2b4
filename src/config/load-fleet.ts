import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { checkPaths } from './check-paths.ts'
import { type FleetOrigin, readFleet } from './read-fleet.ts'
import { resolveFleet } from './resolve-fleet.ts'

/**
 * Reads, checks and resolves a fleet. Nothing is changed, no engine is asked.
 * Fails with FLEET_FILE_NOT_FOUND, or with a `FleetFileError` that has every mistake of the first stage that found any
 * (syntax, schema, relations, files).
 */
export async function loadFleet(origin: FleetOrigin, host: Host): Promise<Fleet> {
  const { document, file, folder } = await readFleet(origin, host)
  const { validateDocument } = await import('./validate.ts')
  const fleet = resolveFleet(validateDocument(document), document, { file, folder, environment: host.environment })
  await checkPaths(fleet)
  return fleet
}
