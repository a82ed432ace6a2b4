import { isImagePresent, referenceOf } from '../model/desired-image.ts'
import type { PackageVersions } from '../model/labels.ts'
import type { PlannedImage } from '../model/plan.ts'
import { readPackages } from '../report/report.ts'
import type { Tools } from '../tools.ts'
import type { PlannedUp } from './plan-up.ts'

/** Returns the existing images of a plan's servers, with the packages in their labels. Creates nothing. */
export async function findPresentImages(
  { desired, observed }: PlannedUp,
  { engine, signal }: Tools,
): Promise<readonly PlannedImage[]> {
  const images = [...desired.servers.values()]
    .map(({ image }) => image)
    .filter((image) => image.kind !== 'none' && isImagePresent(image))
  const bakedFor = new Map(
    images.flatMap((image) => (image.kind === 'baked' ? [[image.bake.reference, image.bake.server] as const] : [])),
  )
  const references = [...new Set(images.map(referenceOf))].sort()
  // A container has the labels of its image, so no further request is needed.
  const containers = [...observed.values()].map(({ container }) => container)
  const read = async (reference: string): Promise<PackageVersions> => {
    const container = containers.find(({ image }) => image === reference)
    if (container !== undefined) return readPackages(container.labels)
    return readPackages((await engine.inspectImage(reference, { signal }))?.labels ?? {})
  }
  return Promise.all(
    references.map(async (reference) => {
      const server = bakedFor.get(reference)
      return { reference, packages: await read(reference), ...(server !== undefined && { bakedFor: server }) }
    }),
  )
}
