import type { DesiredImage, Operation, PreparedBuild } from '../model/plan.ts'

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
      servers: [...(known?.servers ?? []), server],
    })
  }
  for (const { server, image } of images) {
    if (image.kind === 'built') addBuild(image.build, server)
    else if (!image.isPresent) {
      const { reference, platform } = image
      const servers = [...(pulls.get(reference)?.servers ?? []), server]
      pulls.set(reference, { id: pullId(reference), needs: [], kind: 'pullImage', reference, platform, servers })
    }
  }
  return [...pulls.values(), ...builds.values()]
}

/** Recipes of equal content share a digest, so they are built once, under all their names. */
export function buildId(build: PreparedBuild): string {
  return `build ${build.digest}`
}

export function pullId(reference: string): string {
  return `pull ${reference}`
}
