import { hash } from 'node:crypto'
import { arch } from 'node:os'
import { prepareImages } from './images/prepare-images.ts'
import { type Fleet, imageOf, type Server } from './model/fleet.ts'
import type { DesiredImage, PreparedBuild } from './model/plan.ts'
import { selectServers } from './plan/reconcile.ts'
import { digestMounts } from './servers/mount-digests.ts'

/** An engine that has no image yet, as that of a new machine. */
const emptyEngine = { inspectImage: async () => undefined, listImages: async () => [] }

/**
 * Returns the name of the images that these servers need: the fleet's name and a digest of everything that is known before
 * anything is built or pulled. It is the same on every machine of one kind, whatever images its engine has.
 */
export async function nameImages(
  fleet: Fleet,
  names: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const selected = selectServers(fleet, names)
  const bakes = selected.some(({ bake }) => bake !== undefined) ? await import('./bake/prepare-bakes.ts') : undefined
  const servers = bakes?.withBakeSources(selected, fleet) ?? selected
  const [{ byServer: images }, mounts] = await Promise.all([
    prepareImages(fleet, servers, emptyEngine, { signal }),
    bakes === undefined ? [] : Promise.all(servers.map((server) => readMounts(server, fleet, signal))),
  ])
  const sources = { fleet, images, mounts: new Map(mounts) }
  const baked = await bakes?.prepareBakes(selected, sources, emptyEngine, { inUse: new Set(), signal })
  const parts = servers
    .filter((server) => imageOf(server) !== undefined)
    .map(({ name }) => [name, describeImage(images.get(name)?.desired), describeImage(baked?.get(name)?.desired)])
    .sort(([one = ''], [other = '']) => (one < other ? -1 : 1))
  return `${fleet.name}-${hash('sha256', JSON.stringify([arch(), parts])).slice(0, 16)}`
}

async function readMounts(server: Server, { folder }: Fleet, signal: AbortSignal) {
  return [server.name, await digestMounts(server, folder, signal)] as const
}

function describeImage(image: DesiredImage | undefined): readonly unknown[] {
  switch (image?.kind) {
    case 'named':
      return [image.reference, image.platform]
    case 'built':
      return describeBuild(image.build)
    case 'baked':
      return [image.bake.digest]
    default:
      return []
  }
}

/** Without the identity of its base, the digest of a build does not cover what that is built from. */
function describeBuild({ recipe, digest, base }: PreparedBuild): readonly unknown[] {
  return [recipe.repository, digest, ...(base === undefined ? [] : describeBuild(base))]
}
