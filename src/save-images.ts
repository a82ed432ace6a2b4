import type { Writable } from 'node:stream'
import { bakeImages } from './bake-images.ts'
import { parseImageReference, tagReference } from './formats/image-reference.ts'
import { pullImages } from './images/pull-image.ts'
import { resolveArchive, type SavedImage, type SavedImages, writeFile, writeStream } from './images/write-archive.ts'
import { buildImages } from './images.ts'
import { referenceOf } from './model/desired-image.ts'
import { TestfleetError } from './model/failures.ts'
import { type Fleet, imageOf, type Server, type ServerImage } from './model/fleet.ts'
import { selectServers } from './plan/reconcile.ts'
import type { Tools } from './tools.ts'
import { prepareServers } from './up/prepare-servers.ts'

/**
 * Saves everything that `up` needs of these servers' images as one archive, in a file or to a stream. Images that the engine
 * lacks are built, baked and pulled first. A file is replaced in one step, and kept when it already has these images.
 */
export async function saveImages(
  fleet: Fleet,
  names: readonly string[],
  to: string | Writable,
  tools: Tools,
): Promise<SavedImages> {
  if (typeof to === 'string') await resolveArchive(to, tools.host)
  await buildImages(fleet, names, tools)
  await bakeImages(fleet, names, tools)
  const images = await findImages(fleet, selectServers(fleet, names), tools)
  if (images.length === 0) throw new TestfleetError('IMAGE_NOT_FOUND', 'the fleet has no images to save')
  if (typeof to === 'string') return writeFile(images, to, tools)
  return { images, bytes: await writeStream(images, to, tools), isNew: true }
}

async function findImages(fleet: Fleet, servers: readonly Server[], tools: Tools): Promise<readonly SavedImage[]> {
  const { engine, onEvent, signal } = tools
  const { images } = await prepareServers(servers, fleet, { inUse: new Set(), mayPull: true }, tools)
  const pulls = servers.flatMap(({ name, platform }) => {
    const desired = images.get(name)?.desired
    if (desired?.kind !== 'named' || desired.isPresent) return []
    const at = fleet.source.locate(['servers', name, 'image'])
    return [{ reference: desired.reference, platform, servers: [name], at }]
  })
  const byReference = new Map(pulls.map((pull) => [pull.reference, pull]))
  await pullImages([...byReference.values()], engine, onEvent, { signal })
  const references = servers.flatMap((server) => {
    const [desired, image] = [images.get(server.name)?.desired, imageOf(server)]
    if (image === undefined) return []
    return [...(desired === undefined ? [] : [referenceOf(desired)]), ...findNamed(image)]
  })
  for (const reference of new Set(references))
    if (parseImageReference(reference).digest) onEvent(warnOfDigest(reference))
  const tagged = [...new Set(references.map(tagReference))].sort()
  return Promise.all(
    tagged.map(async (reference) => {
      const found = await engine.inspectImage(reference, { signal })
      if (found !== undefined) return { reference, id: found.id }
      throw new TestfleetError('IMAGE_NOT_FOUND', `the engine does not have the image ${reference}`)
    }),
  )
}

/** The named image that an image starts from. The names of images that are built and baked cover its id. */
function findNamed(image: ServerImage): readonly string[] {
  if (image.kind === 'named') return [image.reference]
  return image.recipe.kind === 'steps' ? findNamed(image.recipe.from) : []
}

function warnOfDigest(reference: string) {
  const why = 'an archive of images keeps no digests of registries'
  return { kind: 'warned', message: `${reference} will be pulled again where the archive is loaded: ${why}` } as const
}
