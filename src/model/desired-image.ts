import type { DesiredImage } from './plan.ts'

/** Name of the image that a server is started from; empty for one that does not run in a container. */
export function referenceOf(image: DesiredImage): string {
  switch (image.kind) {
    case 'named':
      return image.reference
    case 'built':
      return image.build.reference
    case 'baked':
      return image.bake.reference
    case 'none':
      return ''
  }
}

/** Name, without its tag, of the baked images of a server. */
export function bakedRepository(fleet: string, server: string): string {
  return `testfleet/${fleet}-${server}/baked`
}

export function isBaked(reference: string): boolean {
  return /^testfleet\/[^/:]+\/baked:/.test(reference)
}

/** Whether the engine has the image. */
export function isImagePresent(image: DesiredImage): boolean {
  switch (image.kind) {
    case 'named':
      return image.isPresent
    case 'built':
      return image.build.isPresent
    case 'baked':
      return image.bake.isPresent
    case 'none':
      return true
  }
}
