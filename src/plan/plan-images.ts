import { isImagePresent } from '../model/desired-image.ts'
import type { DesiredImage, Operation, PreparedBake, PreparedBuild } from '../model/plan.ts'

/**
 * Returns operations for the images that the engine lacks. A base comes before the images built on it; equal images
 * appear once.
 */
export function planImages(images: readonly { readonly server: string; readonly image: DesiredImage }[]): Operation[] {
  const pulls = new Map<string, Extract<Operation, { kind: 'pullImage' }>>()
  const builds = new Map<string, Extract<Operation, { kind: 'buildImage' }>>()
  const addBuild = (build: PreparedBuild, server: string): void => {
    if (build.isPresent) return
    if (build.base !== undefined) addBuild(build.base, server)
    const id = buildId(build)
    const known = builds.get(id)
    const needs = build.base !== undefined && !build.base.isPresent ? [buildId(build.base)] : []
    builds.set(id, {
      id,
      needs,
      kind: 'buildImage',
      build: known?.build ?? build,
      references: [...new Set([...(known?.references ?? []), build.reference])],
      servers: [...new Set([...(known?.servers ?? []), server])],
    })
  }
  const addPull = (image: Extract<DesiredImage, { kind: 'named' }>, server: string): void => {
    const { reference, platform } = image
    const servers = [...new Set([...(pulls.get(reference)?.servers ?? []), server])]
    pulls.set(reference, { id: pullId(reference), needs: [], kind: 'pullImage', reference, platform, servers })
  }
  const bakes = new Map<string, Operation>()
  const add = (image: DesiredImage, server: string): void => {
    if (isImagePresent(image)) return
    if (image.kind === 'built') addBuild(image.build, server)
    else if (image.kind === 'named') addPull(image, server)
    else if (image.kind === 'baked') addBake(image.bake)
  }
  const addBake = (bake: PreparedBake): void => {
    for (const { server, image } of bake.from) add(image, server)
    const needs = bake.from.flatMap(({ image }) => missingId(image) ?? [])
    const { reference, reason, server } = bake
    const id = bakeId(bake)
    bakes.set(id, { id, needs: [...new Set(needs)], kind: 'bakeImage', bake, reference, servers: [server], reason })
  }
  for (const { server, image } of images) add(image, server)
  return [...pulls.values(), ...builds.values(), ...bakes.values()]
}

/** Id of the operation that makes an image; undefined for an image that the engine has. */
export function missingId(image: DesiredImage): string | undefined {
  if (image.kind === 'none' || isImagePresent(image)) return undefined
  if (image.kind === 'built') return buildId(image.build)
  return image.kind === 'named' ? pullId(image.reference) : bakeId(image.bake)
}

function bakeId({ server }: PreparedBake): string {
  return `bake ${server}`
}

/** Recipes of equal content share a digest, so they are built once, under all their names. */
function buildId(build: PreparedBuild): string {
  return `build ${build.digest}`
}

function pullId(reference: string): string {
  return `pull ${reference}`
}
