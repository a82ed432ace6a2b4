import { type PreparedImages, prepareImages, prepareImagesAndBases } from '../images/prepare-images.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { PreparedImage } from '../model/plan.ts'
import { digestMounts } from '../servers/mount-digests.ts'
import type { Tools } from '../tools.ts'

/** What a session's servers are started from. */
export interface PreparedServers extends Pick<PreparedImages, 'missingBases'> {
  /** The image that each server starts from. */
  readonly images: ReadonlyMap<string, PreparedImage>
  /** The digests of its read-only mounts. */
  readonly mounts: ReadonlyMap<string, Readonly<Record<string, string>>>
}

export interface PrepareOptions {
  /** Images that the engine is known to have. */
  readonly inUse: ReadonlySet<string>
  /** Whether missing images are pulled on which the names of others depend. */
  readonly mayPull: boolean
}

/** Reads what the images and mounts of these servers are made from, and asks the engine which images it has. */
export async function prepareServers(
  servers: readonly Server[],
  fleet: Fleet,
  { inUse, mayPull }: PrepareOptions,
  { engine, onEvent, signal }: Tools,
): Promise<PreparedServers> {
  // Loaded on demand: few servers are baked.
  const bakes = servers.some(({ bake }) => bake !== undefined) ? await import('../bake/prepare-bakes.ts') : undefined
  const all = bakes?.withBakeSources(servers, fleet) ?? servers
  const mustKnow = new Set(all.filter(({ name }) => bakes?.leadsToBake(name, servers, fleet)).map(({ name }) => name))
  const options = { signal, inUse, mustKnow }
  const [{ byServer, missingBases }, mounts] = await Promise.all([
    mayPull ? prepareImagesAndBases(fleet, all, engine, onEvent, options) : prepareImages(fleet, all, engine, options),
    Promise.all(all.map(async (server) => [server.name, await digestMounts(server, fleet.folder, signal)] as const)),
  ])
  const sources = { fleet, images: byServer, mounts: new Map(mounts) }
  const baked = await bakes?.prepareBakes(servers, sources, engine, options)
  return { images: new Map([...byServer, ...(baked ?? [])]), mounts: sources.mounts, missingBases }
}
