import { basename } from 'node:path'
import type { Mistake } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import { checkRelations } from './check-relations.ts'
import { type FleetDocument, refuseMistakes, reportTo } from './document.ts'
import type { ResolveContext, Surroundings } from './resolve-image.ts'
import { resolveServer } from './resolve-server.ts'

/** A valid file to a Fleet: defaults applied, references checked. Fails with a `FleetFileError`. */
export function resolveFleet(file: FleetFile, document: FleetDocument, surroundings: Surroundings): Fleet {
  const mistakes: Mistake[] = []
  const report = reportTo(mistakes, document)
  const name = file.name ?? defaultFleetName(surroundings.folder)
  const domain = file.domain ?? `${name}.test`
  const context: ResolveContext = { file, fleetName: name, domain, surroundings, report, bases: new Map() }
  const servers = new Map(
    Object.entries(file.servers).map(([key, declaration]) => [key, resolveServer(key, declaration, context)] as const),
  )
  const fleet: Fleet = {
    name,
    domain,
    folder: surroundings.folder,
    file: surroundings.realPath,
    source: { file: surroundings.file, locate: document.locate, locateKey: document.locateKey },
    servers,
    ignore: file.ignore ?? [],
  }
  checkRelations(fleet, report)
  refuseMistakes(mistakes)
  return fleet
}

/** The folder's name, made into a name that a fleet can have. */
export function defaultFleetName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  return name === '' ? 'fleet' : name
}
