import type { PackageVersions } from '../model/labels.ts'
import type { DesiredImage, PlannedImage } from '../model/plan.ts'
import { readPackages } from '../report/report.ts'
import type { Tools } from '../tools.ts'
import type { PlannedUp } from './plan-up.ts'

/** Returns the existing images of a plan's servers, with the packages in their labels. Creates nothing. */
export async function findPresentImages(
  { desired, observed }: PlannedUp,
  { engine, signal }: Tools,
): Promise<readonly PlannedImage[]> {
  const images = [...desired.servers.values()].flatMap(({ image }) => referenceOf(image))
  const references = [...new Set(images)].sort()
  // A container has the labels of its image, so no further request is needed.
  const containers = [...observed.values()].map(({ container }) => container)
  const read = async (reference: string): Promise<PackageVersions> => {
    const container = containers.find(({ image }) => image === reference)
    if (container !== undefined) return readPackages(container.labels)
    return readPackages((await engine.inspectImage(reference, { signal }))?.labels ?? {})
  }
  return Promise.all(references.map(async (reference) => ({ reference, packages: await read(reference) })))
}

function referenceOf(image: DesiredImage): string[] {
  if (image.kind === 'named') return image.isPresent ? [image.reference] : []
  return image.build.isPresent ? [image.build.reference] : []
}
