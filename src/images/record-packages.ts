import { isDeepStrictEqual } from 'node:util'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { packArchive, unpackFiles } from '../files/archive.ts'
import { PACKAGE_ARCHITECTURE, PACKAGE_NAME, PACKAGE_VERSION } from '../formats/grammar.ts'
import { findDigest, parseImageReference } from '../formats/image-reference.ts'
import { type ContainerSpec, plainContainer } from '../model/container.ts'
import { isFailure } from '../model/failures.ts'
import type { ImageRecipe } from '../model/fleet.ts'
import { type BaseRecord, type Labels, label, type PackageVersions } from '../model/labels.ts'

type StepsRecipe = Extract<ImageRecipe, { kind: 'steps' }>

/**
 * Returns the packages that an image's labels must record. There are none if its base records them already, because an
 * image inherits the labels of its base.
 */
export function packagesToRecord(recipe: ImageRecipe): readonly string[] {
  if (recipe.kind === 'dockerfile') return []
  // A script may install another version of a package that the base has.
  const isChanged = recipe.steps.packages.length + recipe.steps.run.length > 0
  return isChanged ? packagesOf(recipe) : []
}

function packagesOf({ from, steps }: StepsRecipe): readonly string[] {
  const below = from.kind === 'built' && from.recipe.kind === 'steps' ? packagesOf(from.recipe) : []
  return [...below, ...steps.packages]
}

/** Label with the named image that this one is based on. An image based on a built image inherits it. */
export async function describeBase(recipe: ImageRecipe, engine: Engine, options: CallOptions): Promise<Labels> {
  if (recipe.kind === 'dockerfile' || recipe.from.kind !== 'named') return {}
  const { reference } = recipe.from
  const image = await engine.inspectImage(reference, options)
  if (image === undefined) return {}
  const digest = findDigest(reference, image.repositoryDigests)
  const record: BaseRecord = { reference, id: image.id, ...(digest === undefined ? {} : { digest }) }
  return { [label.base]: JSON.stringify(record) }
}

/** `reference` names an unfinished image, or a complete one whose label is `recorded`. */
export interface ImageToRecord extends ImageToRead {
  /** Names that the image gets once its label is right. */
  readonly references: readonly string[]
  readonly packages: readonly string[]
  readonly recorded?: PackageVersions | undefined
}

/**
 * Adds a label with the installed versions, which are only known once the image exists. The result is the same image
 * with one more label. Does nothing if the label is right already.
 */
export async function recordPackages(image: ImageToRecord, engine: Engine, options: CallOptions): Promise<void> {
  const { packages, recorded } = image
  const versions = await readImage(image, engine, (id) => readVersions(packages, id, engine, options), options)
  if (recorded === undefined) {
    // Another call was faster. Its image is equal and may be in use; naming ours would take the name from it.
    if (await hasAll(image.references, engine, options)) return
  } else if (isDeepStrictEqual(versions, recorded)) return
  const dockerfile = 'Dockerfile'
  const context = packArchive([{ kind: 'text', path: dockerfile, mode: 0o644, text: `FROM ${image.reference}\n` }])
  const labels = labelPackages(versions)
  const request = { tags: image.references, labels, dockerfile, platform: image.platform, context }
  await engine.buildImage(request, options)
}

/** Labels of an image that is complete, so that it belongs to no change. */
export function labelPackages(versions: PackageVersions): Labels {
  return { [label.change]: '', [label.packages]: JSON.stringify(versions) }
}

export async function hasAll(references: readonly string[], engine: Engine, options: CallOptions): Promise<boolean> {
  const found = await Promise.all(references.map((reference) => engine.inspectImage(reference, options)))
  return found.every((image) => image !== undefined)
}

export interface ImageToRead {
  readonly reference: string
  /** A reference whose tag becomes the container's name; default: the image's own. */
  readonly name?: string
  readonly platform: string | undefined
  /** Labels of the container while it exists; the change is one of them. */
  readonly labels: Labels
}

/**
 * Reads files of an image through a container that is created for it, never started, and removed. Neither is cancelled
 * half-way. If the engine fails, the container is removed with the change.
 */
export async function readImage<Result>(
  image: ImageToRead,
  engine: Engine,
  read: (containerId: string) => Promise<Result>,
  options: CallOptions,
): Promise<Result> {
  options.signal?.throwIfAborted()
  const id = await engine.createContainer(describeReader(image))
  try {
    return await read(id)
  } finally {
    await engine.removeContainer(id)
  }
}

/** Only its files are used. It belongs to no session, so that it is not mistaken for a server. */
function describeReader({ reference, name = reference, platform, labels }: ImageToRead): ContainerSpec {
  const { tag = 'latest' } = parseImageReference(name)
  return {
    ...plainContainer,
    name: `testfleet-reads-${tag.slice(0, 32)}.${labels[label.change]}`,
    image: reference,
    platform,
    hostname: 'reader',
    // An image may have no command.
    command: ['true'],
    labels,
    network: { name: 'none', aliases: [] },
    capDrop: ['ALL'],
  }
}

/** Returns the versions of packages that dpkg has installed in a container. */
export async function readVersions(
  packages: readonly string[],
  containerId: string,
  engine: Engine,
  options: CallOptions,
): Promise<PackageVersions> {
  return findVersions(packages, (await readInstalled(containerId, engine, options)) ?? [])
}

/** The package database of a Debian with all packages has about fifty megabytes. */
const MAX_DATABASE_BYTES = 64 * 1024 * 1024

/** Packages that dpkg has installed in a container, running or not, or undefined without dpkg. */
export async function readInstalled(
  containerId: string,
  engine: Engine,
  options: CallOptions,
): Promise<readonly InstalledPackage[] | undefined> {
  const read = (path: string) => readFiles(containerId, path, MAX_DATABASE_BYTES, engine, options)
  // Distroless images have one file for each package, in a folder.
  const files = (await read('/var/lib/dpkg/status')) ?? (await read('/var/lib/dpkg/status.d'))
  if (files === undefined) return undefined
  const texts = [...files].filter(([path]) => !path.endsWith('.md5sums')).map(([, text]) => text)
  return parseDpkgStatus(texts.join('\n\n'))
}

/** The files at a path of a container, or undefined when there is nothing. */
export async function readFiles(
  containerId: string,
  path: string,
  maxBytes: number,
  engine: Engine,
  options: CallOptions,
): Promise<ReadonlyMap<string, string> | undefined> {
  const archive = await engine.getArchive(containerId, path, maxBytes, options).catch((error: unknown) => {
    if (!isFailure(error, 'NOT_FOUND')) throw error
    return undefined
  })
  return archive && unpackFiles(archive)
}

export interface InstalledPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** Installed packages by the text of /var/lib/dpkg/status, ordered by name. */
export function parseDpkgStatus(text: string): readonly InstalledPackage[] {
  const packages = text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = readFields(paragraph)
    const [name, version] = [fields.get('package'), fields.get('version')]
    if (name === undefined || version === undefined) return []
    // A removed package stays in the list for its configuration. A distroless image has no status.
    const status = fields.get('status')
    if (status !== undefined && !status.endsWith(' installed')) return []
    const architecture = fields.get('architecture') ?? 'all'
    // The build of an image can write anything into this file. Names that dpkg would refuse are not reported.
    const isPackage =
      PACKAGE_NAME.test(name) && PACKAGE_VERSION.test(version) && PACKAGE_ARCHITECTURE.test(architecture)
    return isPackage ? [{ name, version, architecture }] : []
  })
  return packages.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
}

/** Versions of the requested packages, as `apt-get install` takes them. Virtual packages have none. */
export function findVersions(asked: readonly string[], installed: readonly InstalledPackage[]): PackageVersions {
  const names = [...new Set(asked.map((word) => word.split('=')[0] ?? ''))].sort()
  return Object.fromEntries(
    names.flatMap((word) => {
      const [name, architecture] = word.split(':')
      const found = installed.find(
        (candidate) =>
          candidate.name === name && (architecture === undefined || candidate.architecture === architecture),
      )
      return found === undefined ? [] : [[word, found.version]]
    }),
  )
}

/** The fields of one line each. Fields with further lines are not needed. */
function readFields(paragraph: string): ReadonlyMap<string, string> {
  const matches = paragraph.matchAll(/^([A-Za-z-]+):[ \t]*(.*)$/gm)
  return new Map([...matches].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]))
}

function keyOf({ name, architecture }: InstalledPackage): string {
  return `${name}:${architecture}`
}
