import type { CallOptions, Engine } from '../engine/engine.ts'
import { isBaked } from '../model/desired-image.ts'
import type { OnEvent } from '../model/events.ts'
import { type Labels, label } from '../model/labels.ts'
import { readKeptImages } from './kept-images.ts'

/** A name that testfleet gives to a finished image, of a server or of the base of a fleet. */
const NAME = /^(testfleet\/[^:]+):[0-9a-f]{16}$/

export interface OldImagesRequest {
  /** Undefined for the images of all fleets. */
  readonly fleet: string | undefined
  /** References whose servers are examined; undefined for all servers. */
  readonly built?: readonly string[] | undefined
  /** Number of images to keep for each server. */
  readonly keep: number
  /** References to keep in addition. */
  readonly spared?: ReadonlySet<string>
  /** Only images that were built or named longer ago. */
  readonly olderThanMs?: number | undefined
}

/**
 * Finds the images of servers beyond the newest ones, in the order in which they can be removed. Only images with a fleet's
 * label, and none that a container uses. Sends one request unless a server has more images than it may keep.
 */
export async function findOldImages(
  { fleet, built, keep, spared, olderThanMs = 0 }: OldImagesRequest,
  engine: Engine,
  options: CallOptions,
): Promise<readonly string[]> {
  const wanted = built && new Set(built.map(repositoryOf))
  const images = await engine.listImages({ [label.fleet]: fleet ?? '' }, options)
  const named = images
    .flatMap(({ id, references, labels }) => references.map((reference) => nameImage(id, reference, labels)))
    .filter((image) => image !== undefined)
    .filter(({ repository }) => wanted?.has(repository) !== false)
  const groups = Map.groupBy(named, ({ fleet, repository }) => `${fleet} ${repository}`)
  const tooMany = [...groups.values()].filter((group) => group.length > keep)
  if (tooMany.length === 0) return []
  const inUse = new Set((await engine.listContainers({}, options)).map(({ imageId }) => imageId))
  const latestMs = Date.now() - olderThanMs
  const findOld = async (group: readonly NamedImage[]): Promise<readonly NamedImage[]> => {
    const dated = await Promise.all(
      group.map(async (image) => ({
        image,
        ms: (await engine.inspectImage(image.reference, options))?.namedAtMs ?? 0,
      })),
    )
    return dated
      .sort((one, other) => other.ms - one.ms)
      .slice(keep)
      .filter(({ image, ms }) => !inUse.has(image.id) && spared?.has(image.reference) !== true && ms <= latestMs)
      .map(({ image }) => image)
  }
  const old = (await Promise.all(tooMany.map(findOld))).flat()
  // An image is removed before its base.
  const rank = ({ reference, isBase }: NamedImage): number => (isBaked(reference) ? 0 : isBase ? 2 : 1)
  return old.sort((one, other) => rank(one) - rank(other)).map(({ reference }) => reference)
}

interface NamedImage {
  readonly id: string
  readonly reference: string
  readonly repository: string
  readonly fleet: string
  /** The base of a fleet belongs to no server. */
  readonly isBase: boolean
}

function nameImage(id: string, reference: string, labels: Labels): NamedImage | undefined {
  if (!NAME.test(reference)) return undefined
  const [fleet = '', repository] = [labels[label.fleet], repositoryOf(reference)]
  return { id, reference, repository, fleet, isBase: repository === `testfleet/${fleet}` }
}

function repositoryOf(reference: string): string {
  return NAME.exec(reference)?.[1] ?? reference
}

/** Removes images one at a time, except those that the engine refuses to remove. Returns the removed ones. */
export async function removeOldImages(
  references: readonly string[],
  engine: Engine,
  onEvent: OnEvent,
  options: CallOptions,
): Promise<readonly string[]> {
  const removed: string[] = []
  for (const reference of references) {
    const isGone = await engine.removeImage(reference, options).then(
      () => true,
      () => false,
    )
    if (isGone) removed.push(reference)
    if (isGone) onEvent({ kind: 'imageRemoved', reference })
    options.signal?.throwIfAborted()
  }
  return removed
}

export interface TidyRequest {
  readonly fleet: string
  /** References of the image that was built. */
  readonly built: readonly string[]
  /** References from which this call starts servers. */
  readonly spared: ReadonlySet<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether another call is changing servers of this fleet. It may be about to use an old image. */
  readonly isBusy: () => Promise<boolean>
  readonly onEvent: OnEvent
}

/**
 * Removes images of the servers that an image was built for, beyond the newest ones. A failure does not fail the build:
 * the next build tries again.
 */
export async function tidyAfterBuild(request: TidyRequest, engine: Engine, options: CallOptions): Promise<void> {
  const keep = readKeptImages(request.environment)
  if (keep === undefined) return
  try {
    const old = await findOldImages({ ...request, keep }, engine, options)
    if (old.length > 0 && !(await request.isBusy())) await removeOldImages(old, engine, request.onEvent, options)
  } catch {}
}
