import type { CallOptions, Engine } from '../engine/engine.ts'
import { packArchive } from '../files/archive.ts'
import { findDigest } from '../formats/image-reference.ts'
import type { ImageRecipe } from '../model/fleet.ts'
import { type BaseRecord, type Labels, label } from '../model/labels.ts'
import { findVersions } from './debian-packages.ts'
import { type ImageToRead, readImage, readInstalled } from './read-image.ts'

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
