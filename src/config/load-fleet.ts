import type { Fleet } from '../model/fleet.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import type { Host } from '../model/host.ts'
import { checkPaths } from './check-paths.ts'
import type { FleetDocument } from './document.ts'
import { type FleetOrigin, readFleet } from './read-fleet.ts'
import type { Surroundings } from './resolve-context.ts'
import { resolveFleet } from './resolve-fleet.ts'

/**
 * Reads, checks and resolves a fleet. Nothing is changed, no engine is asked.
 * Fails with FLEET_FILE_NOT_FOUND, or with a `FleetFileError` that has every mistake of the first stage that found any
 * (syntax, schema, relations, files).
 */
export async function loadFleet(origin: FleetOrigin, host: Host): Promise<Fleet> {
  const { document, file, realPath, folder } = await readFleet(origin, host)
  const { validateDocument } = await import('./validate.ts')
  const written = validateDocument(document)
  const surroundings = { file, realPath, folder, presetsFolder: host.presetsFolder, environment: host.environment }
  const fleet = usesPresets(written)
    ? await resolveWithPresets(written, document, surroundings)
    : resolveFleet(written, document, surroundings)
  await checkPaths(fleet)
  return fleet
}

async function resolveWithPresets(
  written: FleetFile,
  document: FleetDocument,
  surroundings: Surroundings,
): Promise<Fleet> {
  const { expandPresets } = await import('./presets/expand-presets.ts')
  const { validateDocument } = await import('./validate.ts')
  const folders = { builtIn: surroundings.presetsFolder, fleet: surroundings.folder }
  const expanded = await expandPresets(written, document, folders)
  return resolveFleet(validateDocument(expanded), expanded, surroundings)
}

function usesPresets(file: FleetFile): boolean {
  return Object.values(file.servers).some(({ preset }) => preset !== undefined)
}
