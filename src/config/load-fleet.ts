import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { NAME } from '../formats/grammar.ts'
import { isInside, showPath } from '../formats/paths.ts'
import { wordError } from '../formats/word-error.ts'
import { isFailure, type Mistake } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import type { Host } from '../model/host.ts'
import { say } from '../model/surface.ts'
import { checkCertificates } from './check-certificates.ts'
import { findPathMistakes } from './check-paths.ts'
import { checkRelations } from './check-relations.ts'
import { describeObject } from './describe-object.ts'
import { type FleetDocument, refuseMistakes, reportTo, wholeFileError } from './document.ts'
import { dropExtensions } from './drop-extensions.ts'
import { expandPresets } from './expand-presets.ts'
import { locateFleetFile } from './locate-fleet-file.ts'
import { type Externals, readExternals } from './read-externals.ts'
import type { ResolveContext, Surroundings } from './resolve-image.ts'
import { resolveServer } from './resolve-server.ts'
import { resolveStandby } from './resolve-standby.ts'
import { isTextFile } from './trust-fleet-file.ts'
import { isFleetFile } from './validate.ts'

/** Source of a fleet: a file (undefined: the nearest one), or an object with the folder that its paths start from. */
export type FleetOrigin =
  | { readonly kind: 'file'; readonly named: string | undefined }
  | { readonly kind: 'object'; readonly value: unknown; readonly folder: string }

/**
 * Loads a fleet. Each step has one verb: the file is located, read and parsed (plain values with positions); its presets
 * are expanded (in place of their names); the result is validated (the shape of each field), resolved (defaults, absolute
 * paths) and checked (what no single field can say). Nothing is changed, no engine is asked.
 * Fails with FLEET_FILE_NOT_FOUND or FLEET_FILE_NOT_TRUSTED, or with FLEET_FILE_INVALID, with every mistake of the first
 * step that found any.
 */
export async function loadFleet(origin: FleetOrigin, host: Host): Promise<Fleet> {
  return (await loadFilledFleet(origin, host)).fleet
}

/** Like `loadFleet`, together with the fleet file, in which each preset is filled in. */
export async function loadFilledFleet(origin: FleetOrigin, host: Host): Promise<FilledFleet> {
  const place = await findPlace(origin, host)
  return quoteOwnOnly(place, async () => resolveRead(await readFleet(origin, place), place, host))
}

export interface FilledFleet {
  readonly fleet: Fleet
  readonly filled: FleetFile
}

async function resolveRead(
  written: FleetDocument,
  { file, realPath, folder }: Place,
  host: Host,
): Promise<FilledFleet> {
  const read = readExternals(written, host.environment)
  const folders = { builtIn: host.presetsFolder, fleet: folder }
  const expanded = await expandPresets(written, folders, read.externals)
  const { document, externals } = expanded
  const mistakes = [...read.mistakes, ...expanded.mistakes]
  const valid = mistakes.length === 0 && isFleetFile(document.value)
  if (!valid) await (await import('./explain-mistakes.ts')).explainMistakes(document, mistakes)
  const surroundings = { file, realPath, folder, presetsFolder: host.presetsFolder, environment: host.environment }
  const filled = document.value as FleetFile
  const { fleet, mistakes: between } = resolveAll(filled, document, surroundings, externals)
  refuseMistakes([...between, ...(await findPathMistakes(fleet))])
  await checkCertificates(fleet)
  return { fleet, filled }
}

/** Reads only the fleet's name, for calls that must work when the rest of the file is wrong. Fails if the name is wrong. */
export async function loadFleetName(named: string | undefined, host: Host): Promise<string> {
  const origin = { kind: 'file', named } as const
  const place = await findPlace(origin, host)
  return quoteOwnOnly(place, async () => {
    const document = await readFleet(origin, place)
    const name = (document.value as { name?: unknown } | null)?.name
    if (typeof name === 'string' && NAME.test(name)) return name
    if (name !== undefined) await (await import('./explain-mistakes.ts')).explainMistakes(document, [])
    return defaultFleetName(place.folder)
  })
}

/** Location of a fleet. */
interface Place {
  /** The fleet file, as messages show it. */
  readonly file: string
  /** Undefined for a fleet given as an object. */
  readonly path: string | undefined
  readonly realPath: string | undefined
  readonly folder: string
  /** Whether the fleet file is reached by a link that leads out of the folder that it appears to be in. */
  readonly isElsewhere: boolean
}

async function findPlace(origin: FleetOrigin, host: Host): Promise<Place> {
  const { workingFolder } = host
  if (origin.kind === 'object') {
    const folder = resolve(workingFolder, origin.folder)
    return { file: 'the fleet', path: undefined, realPath: undefined, folder, isElsewhere: false }
  }
  const { path, realPath } = await locateFleetFile(origin.named, host)
  const folder = dirname(path)
  const seemsIn = await realpath(isInside(path, workingFolder) ? workingFolder : folder)
  return { file: showPath(path, workingFolder), path, realPath, folder, isElsewhere: !isInside(realPath, seemsIn) }
}

/**
 * Runs `work` on a fleet file. Mistakes quote the file. If it is outside its apparent folder, a repository may have linked
 * to any file of the caller, so its mistakes are not reported.
 */
async function quoteOwnOnly<Result>(
  { file, realPath, isElsewhere }: Place,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!isElsewhere || !isFailure(error, 'FLEET_FILE_INVALID')) throw error
    throw wholeFileError(
      file,
      `is a link to ${realPath} and has mistakes, which are shown if you name that file with ${say('file')}`,
    )
  }
}

async function readFleet(origin: FleetOrigin, { file, path }: Place): Promise<FleetDocument> {
  if (origin.kind === 'object' || path === undefined)
    return dropExtensions(describeObject(origin.kind === 'object' ? origin.value : undefined, file))
  if (!isTextFile(path)) return dropExtensions(await loadFleetModule(path, file))
  const { parseYaml, readText } = await import('./read-yaml.ts')
  return dropExtensions(parseYaml(await readText(path, file), file))
}

/** Loads a fleet file that is a module; its default export is the fleet. It runs with the rights of the caller. */
export async function loadFleetModule(path: string, file: string): Promise<FleetDocument> {
  let module: { default?: unknown }
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    throw wholeFileError(file, `cannot be loaded: ${wordError(error)}`)
  }
  if (module.default === undefined)
    throw wholeFileError(file, 'has no default export; write `export default defineFleet({ … })`')
  return describeObject(module.default, file)
}

/** Turns a valid file into a Fleet: defaults applied, references checked. Fails with FLEET_FILE_INVALID. */
export function resolveFleet(file: FleetFile, document: FleetDocument, surroundings: Surroundings): Fleet {
  const { fleet, mistakes } = resolveAll(file, document, surroundings)
  refuseMistakes(mistakes)
  return fleet
}

function resolveAll(
  file: FleetFile,
  document: FleetDocument,
  surroundings: Surroundings,
  externals: Externals = new Map(),
): { readonly fleet: Fleet; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = []
  const report = reportTo(mistakes, document)
  const name = file.name ?? defaultFleetName(surroundings.folder)
  const domain = file.domain ?? `${name}.test`
  const context: ResolveContext = {
    file,
    fleetName: name,
    domain,
    surroundings,
    report,
    options: document.options ?? new Map(),
    appliedSecrets: document.appliedSecrets ?? new Map(),
    externals,
    bases: new Map(),
  }
  const servers = new Map(
    Object.entries(file.servers).map(([key, declaration]) => [key, resolveServer(key, declaration, context)] as const),
  )
  const fleet: Fleet = {
    name,
    domain,
    folder: surroundings.folder,
    file: surroundings.realPath,
    source: {
      file: surroundings.file,
      locate: document.locate,
      locateKey: document.locateKey,
      nameField: document.nameField,
      originOf: document.originOf,
    },
    servers,
    ...(file.standby !== undefined && { standby: resolveStandby(file.standby) }),
    ignore: file.ignore ?? [],
  }
  checkRelations(fleet, report)
  return { fleet, mistakes }
}

/** Returns the folder's name, adapted to the rules for names of fleets. */
export function defaultFleetName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  return name === '' ? 'fleet' : name
}
