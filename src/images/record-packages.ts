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
 * The packages that an image's labels have to tell of; none when what it stands on tells it already, as an image has
 * the labels of the one below it.
 */
export function packagesToRecord(recipe: ImageRecipe): readonly string[] {
  if (recipe.kind === 'dockerfile') return []
  // A script may install another version of what the base has.
  const isChanged = recipe.steps.packages.length + recipe.steps.run.length > 0
  return isChanged ? packagesOf(recipe) : []
}

function packagesOf({ from, steps }: StepsRecipe): readonly string[] {
  const below = from.kind === 'built' && from.recipe.kind === 'steps' ? packagesOf(from.recipe) : []
  return [...below, ...steps.packages]
}

/** The label that tells which named image this one stands on. One that stands on a built image has it from there. */
export async function describeBase(recipe: ImageRecipe, engine: Engine, options: CallOptions): Promise<Labels> {
  if (recipe.kind === 'dockerfile' || recipe.from.kind !== 'named') return {}
  const { reference } = recipe.from
  const image = await engine.inspectImage(reference, options)
  if (image === undefined) return {}
  const digest = findDigest(reference, image.repositoryDigests)
  const record: BaseRecord = { reference, id: image.id, ...(digest === undefined ? {} : { digest }) }
  return { [label.base]: JSON.stringify(record) }
}

/** Nobody else uses the name of this image; it goes. */
export interface UnfinishedImage extends ImageToRead {
  /** The names that the image gets once its labels are complete. */
  readonly references: readonly string[]
  readonly packages: readonly string[]
}

/**
 * Which versions were installed is known only once an image is there, and its labels are settled then: what is made of
 * it is the same image with one label more.
 */
export async function recordPackages(image: UnfinishedImage, engine: Engine, options: CallOptions): Promise<void> {
  const installed = await readImage(image, engine, (id) => readInstalled(id, engine, options), options)
  const packages = findVersions(image.packages, installed ?? [])
  const present = await Promise.all(image.references.map((reference) => engine.inspectImage(reference, options)))
  // Another call was faster. What it made is the same, and may be in use: to name ours so would take its name away.
  if (present.every((found) => found !== undefined)) return
  const dockerfile = 'Dockerfile'
  const context = packArchive([{ kind: 'text', path: dockerfile, mode: 0o644, text: `FROM ${image.reference}\n` }])
  // An image that is complete belongs to no change.
  const labels = { [label.change]: '', [label.packages]: JSON.stringify(packages) }
  const request = { tags: image.references, labels, dockerfile, platform: image.platform, context }
  await engine.buildImage(request, options)
}

export interface ImageToRead {
  readonly reference: string
  /** A reference whose tag names the container; default: the image's own. */
  readonly name?: string
  readonly platform: string | undefined
  /** What the container carries for as long as it is there; the change is among them. */
  readonly labels: Labels
}

/**
 * Reads files of an image by a container that is made for it, never started, and removed. Making it and removing it are
 * not cancelled half-way; what an engine that fails leaves of it goes with the change.
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

/** Nothing of it is ever used but its files. It is of no session, so that nobody takes it for a server. */
function describeReader({ reference, name = reference, platform, labels }: ImageToRead): ContainerSpec {
  const { tag = 'latest' } = parseImageReference(name)
  return {
    ...plainContainer,
    name: `testfleet-reads-${tag.slice(0, 32)}.${labels[label.change]}`,
    image: reference,
    platform,
    hostname: 'reader',
    // An image need not have a command.
    command: ['true'],
    labels,
    network: { name: 'none', aliases: [] },
    capDrop: ['ALL'],
  }
}

/** A Debian with all its packages has some fifty megabytes. */
const MAX_DATABASE_BYTES = 64 * 1024 * 1024

/** What dpkg has installed in a container, whether it runs or not; undefined when there is no dpkg. */
export async function readInstalled(
  containerId: string,
  engine: Engine,
  options: CallOptions,
): Promise<readonly InstalledPackage[] | undefined> {
  const read = (path: string) => readFiles(containerId, path, MAX_DATABASE_BYTES, engine, options)
  // Distroless images have a file for each package, in a folder.
  const files = (await read('/var/lib/dpkg/status')) ?? (await read('/var/lib/dpkg/status.d'))
  if (files === undefined) return undefined
  const texts = [...files].filter(([path]) => !path.endsWith('.md5sums')).map(([, text]) => text)
  return parseDpkgStatus(texts.join('\n\n'))
}

/** The files at a path of a container; undefined when there is nothing. */
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

/** What is installed, by the text of /var/lib/dpkg/status, in the order of names. */
export function parseDpkgStatus(text: string): readonly InstalledPackage[] {
  const packages = text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = readFields(paragraph)
    const [name, version] = [fields.get('package'), fields.get('version')]
    if (name === undefined || version === undefined) return []
    // What was removed stays in the list for its configuration. A distroless image does not note a status.
    const status = fields.get('status')
    if (status !== undefined && !status.endsWith(' installed')) return []
    const architecture = fields.get('architecture') ?? 'all'
    // The build of an image can write anything into this file. What dpkg would not install is not reported.
    const isPackage =
      PACKAGE_NAME.test(name) && PACKAGE_VERSION.test(version) && PACKAGE_ARCHITECTURE.test(architecture)
    return isPackage ? [{ name, version, architecture }] : []
  })
  return packages.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
}

/** The versions of the packages that were asked for, as `apt-get install` takes them. Virtual ones have none. */
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

/** The fields of one line each; those that go on in further lines are not needed. */
function readFields(paragraph: string): ReadonlyMap<string, string> {
  const matches = paragraph.matchAll(/^([A-Za-z-]+):[ \t]*(.*)$/gm)
  return new Map([...matches].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]))
}

function keyOf({ name, architecture }: InstalledPackage): string {
  return `${name}:${architecture}`
}
