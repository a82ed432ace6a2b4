import { dirname, resolve } from 'node:path'
import { isInside } from '../formats/paths.ts'
import { readTimestampS } from '../formats/timestamp.ts'
import type { BuildSteps, CopyItem, FieldPath, ServerImage } from '../model/fleet.ts'
import type { FleetFile, ServerDeclaration } from '../model/fleet-file.ts'
import type { FleetDocument, ReportMistake } from './document.ts'
import type { Externals } from './read-externals.ts'

export interface Surroundings {
  /** The fleet file, as messages show it. */
  readonly file: string
  /** Its path with every link resolved, or undefined for a fleet given as an object. */
  readonly realPath: string | undefined
  /** Its folder, absolute. */
  readonly folder: string
  /** Folder of testfleet's presets; their files are copied into images from there. */
  readonly presetsFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface ResolveContext {
  readonly file: FleetFile
  readonly fleetName: string
  readonly domain: string
  readonly surroundings: Surroundings
  readonly report: ReportMistake
  /** Options of each server's preset, by server. */
  readonly options: NonNullable<FleetDocument['options']>
  /** Secrets that presets of the catalogue apply at every start, by server. */
  readonly appliedSecrets: NonNullable<FleetDocument['appliedSecrets']>
  readonly externals: Externals
  /** The fleet's base on each image that servers start from: one recipe, prepared once, built once. */
  readonly bases: Map<string, ServerImage>
}

export const DEFAULT_BASE = 'debian:bookworm-slim'

/** Returns the source of a container's image. The schema guarantees that there is exactly one. */
export function resolveImage(name: string, declaration: ServerDeclaration, context: ResolveContext): ServerImage {
  const { build, platform } = declaration
  const { folder } = context.surroundings
  if (build === undefined) return { kind: 'named', reference: declaration.image ?? '' }
  const at: FieldPath = ['servers', name, 'build']
  const repository = `testfleet/${context.fleetName}-${name}`
  if (build.dockerfile !== undefined) {
    const { target, outside: mayLeave = false } = build
    const dockerfile = resolve(folder, build.dockerfile)
    const copied = build.context === undefined ? dirname(dockerfile) : resolve(folder, build.context)
    const own = { repository, dockerfile, context: copied, mayLeave, target, args: toTextMap(build.args), platform, at }
    return { kind: 'built', recipe: { kind: 'dockerfile', ...own } }
  }
  const from = build.from ?? context.file.base?.from ?? DEFAULT_BASE
  const base = resolveBase(from, platform, context)
  const steps = resolveSteps(build, context.surroundings)
  return { kind: 'built', recipe: { kind: 'steps', repository, from: base, steps, platform, at } }
}

/** Returns the base of a server's own steps: the fleet's base if it has steps, else the image that it starts from. */
function resolveBase(from: string, platform: string | undefined, context: ResolveContext): ServerImage {
  const key = `${from} ${platform ?? ''}`
  const known = context.bases.get(key)
  if (known !== undefined) return known
  const named: ServerImage = { kind: 'named', reference: from }
  const steps = resolveSteps(context.file.base ?? {}, context.surroundings)
  const isEmpty = steps.packages.length + steps.copy.length + steps.run.length + steps.environment.size === 0
  const repository = `testfleet/${context.fleetName}`
  const base: ServerImage = isEmpty
    ? named
    : { kind: 'built', recipe: { kind: 'steps', repository, from: named, steps, platform, at: ['base'] } }
  context.bases.set(key, base)
  return base
}

type StepsDeclaration = NonNullable<FleetFile['base']>

function resolveSteps(declaration: Omit<StepsDeclaration, 'from'>, surroundings: Surroundings): BuildSteps {
  return {
    packages: declaration.packages ?? [],
    environment: toTextMap(declaration.environment),
    copy: (declaration.copy ?? []).map((item) => resolveCopy(item, surroundings)),
    run: declaration.run ?? [],
  }
}

type CopyDeclaration = NonNullable<StepsDeclaration['copy']>[number]

function resolveCopy(item: CopyDeclaration, surroundings: Surroundings): CopyItem {
  const { to, mode, owner, mtime } = item
  const modifiedAtS = mtime === undefined ? undefined : readTimestampS(mtime)
  return { source: resolveSource(item, surroundings), to, mode: readMode(mode), owner, modifiedAtS }
}

/** Files that testfleet's presets copy into an image are in the presets' own folder. */
function resolveSource(
  { from, content = '', outside: mayLeave = false, ignore: ignored = [] }: CopyDeclaration,
  { folder, presetsFolder }: Surroundings,
): CopyItem['source'] {
  if (from === undefined) return { kind: 'content', content }
  const path = resolve(folder, from)
  const isShipped = isInside(path, presetsFolder)
  return { kind: 'path', path, folder: isShipped ? presetsFolder : folder, mayLeave, isShipped, ignored }
}

/** Permission bits, from octal text. */
export function readMode(mode: string | undefined): number | undefined {
  return mode === undefined ? undefined : Number.parseInt(mode, 8)
}

/** Scalars of the file, converted to the text that they stand for. */
export function toTextMap(
  record: Readonly<Record<string, string | number | boolean>> | undefined,
): Map<string, string> {
  return mapValues(record, String)
}

export function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>> | undefined,
  convert: (value: Value, key: string) => Result,
): Map<string, Result> {
  return new Map(Object.entries(record ?? {}).map(([key, value]) => [key, convert(value, key)]))
}
