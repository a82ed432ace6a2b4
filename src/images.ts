import { buildImage, needsChange } from './images/build-image.ts'
import { prepareImagesAndBases } from './images/prepare-images.ts'
import { bakedRepository, isBaked } from './model/desired-image.ts'
import { type Fleet, imageOf } from './model/fleet.ts'
import { label } from './model/labels.ts'
import type { OperationOf, Plan } from './model/plan.ts'
import { say } from './model/surface.ts'
import { unknownServer } from './model/unknown-server.ts'
import { carryOut, reportOperations } from './plan/carry-out.ts'
import { planImages } from './plan/plan-images.ts'
import { selectServers } from './plan/reconcile.ts'
import { isFleetBusy } from './sessions/busy.ts'
import { cleanupFailed, collectErrors } from './sessions/end.ts'
import { withScratch } from './sessions/scratch.ts'
import type { Tools } from './tools.ts'

export interface BuiltImage {
  readonly reference: string
  /** Whether it had to be built; false when the engine had it. */
  readonly isNew: boolean
}

/** Builds the images that are missing. Named images are left to `up`. Returns the image of each server that has a `build`. */
export async function buildImages(
  fleet: Fleet,
  names: readonly string[],
  tools: Tools,
): Promise<ReadonlyMap<string, BuiltImage>> {
  const { engine, onEvent, host, signal } = tools
  onEvent({ kind: 'phaseBegan', phase: 'plan' })
  const servers = selectServers(fleet, names).filter((server) => imageOf(server)?.kind === 'built')
  const prepared = await prepareImagesAndBases(fleet, servers, engine, onEvent, { signal })
  const images = servers.map(({ name }) => ({ server: name, image: prepared.byServer.get(name)?.desired }))
  const wanted = images.flatMap(({ server, image }) => (image?.kind === 'built' ? [{ server, image }] : []))
  const plan: Plan = { session: '', operations: planImages(wanted) }
  const desired = new Map(wanted.map(({ server, image }) => [server, image]))
  tools.recorder.begin({ fleet, plan, images: desired, secrets: new Map(), certificates: new Map() })
  const settings = { fleet: fleet.name, owner: host.owner, source: fleet.source, onEvent }
  const spared = new Set(wanted.map(({ image }) => image.build.reference))
  const tidying: Promise<void>[] = []
  const tidy = async (built: readonly string[], change: string): Promise<void> => {
    const { tidyAfterBuild } = await import('./images/old-images.ts')
    const isBusy = (): Promise<boolean> => isFleetBusy(fleet.name, change, tools)
    const request = { fleet: fleet.name, built, spared, environment: host.environment, isBusy, onEvent }
    return tidyAfterBuild(request, engine, { signal })
  }
  const buildAll = async (change: string): Promise<void> => {
    const handlers = {
      async buildImage(operation: OperationOf<'buildImage'>, stop: AbortSignal) {
        await buildImage(operation, engine, { ...settings, change }, { signal: stop })
        tidying.push(tidy(operation.references, change))
      },
    }
    onEvent({ kind: 'phaseBegan', phase: 'carryOut' })
    const [failure] = await carryOut(plan, handlers, { signal, onFailure: 'stop', ...reportOperations(onEvent) })
    onEvent({ kind: 'phaseBegan', phase: 'finish' })
    await Promise.all(tidying)
    if (failure !== undefined) throw failure.error
  }
  // Where nothing is created but what stays, there is nothing to take back.
  const needsScratch = plan.operations.some(
    (operation) => operation.kind === 'buildImage' && needsChange(operation.build),
  )
  onEvent({ kind: 'phaseBegan', phase: 'begin' })
  await (needsScratch ? withScratch(fleet, tools, buildAll) : buildAll('')).catch(async (error: unknown) => {
    onEvent({ kind: 'phaseBegan', phase: 'bundle' })
    const { captureFailure } = await import('./failure/bundle/capture.ts')
    await captureFailure(error, undefined, tools)
    throw error
  })
  return new Map(
    wanted.map(({ server, image }) => [server, { reference: image.build.reference, isNew: !image.build.isPresent }]),
  )
}

/**
 * Removes the images that were built for a fleet: all, or those of some servers. Only images that carry the fleet's
 * label; one that a container uses is an error, once all others are gone. With all go those without a name: of two calls
 * that build the same at once with the classic builder, one takes the name from the other's.
 */
export async function removeImages(
  fleet: string,
  servers: readonly string[],
  known: Iterable<string>,
  tools: Tools,
): Promise<string[]> {
  const { engine, onEvent, signal } = tools
  const names = [...known]
  for (const server of servers) if (!names.includes(server)) throw unknownServer(server, names)
  const found = await engine.listImages({ [label.fleet]: fleet }, { signal })
  // A snapshot belongs to its session, and has the label of the image that its server was built from.
  const images = found.filter(({ labels }) => (labels[label.snapshot] ?? '') === '')
  const references = images.flatMap((image) => image.references)
  const isWanted = (reference: string): boolean => {
    const [repository] = reference.split(':')
    if (servers.length === 0) return reference.startsWith('testfleet/')
    return servers.some((server) =>
      [`testfleet/${fleet}-${server}`, bakedRepository(fleet, server)].includes(repository ?? ''),
    )
  }
  const wanted = references.filter(isWanted)
  // What is built on a base goes before it. One at a time: an engine that removes two names of one image at once can
  // lose the image in between, and refuses (seen with 20.10).
  const isBase = (reference: string): boolean => reference.startsWith(`testfleet/${fleet}:`)
  const nameless = images.filter((image) => image.references.length === 0).map(({ id }) => id)
  const inOrder = [
    ...(servers.length === 0 ? nameless : []),
    ...wanted.filter(isBaked),
    ...wanted.filter((reference) => !isBase(reference) && !isBaked(reference)),
    ...wanted.filter(isBase),
  ]
  const errors: unknown[] = []
  const remove = async (reference: string): Promise<void> => {
    await engine.removeImage(reference, { signal })
    onEvent({ kind: 'imageRemoved', reference })
  }
  for (const reference of inOrder) errors.push(...(await collectErrors([remove(reference)])))
  signal.throwIfAborted()
  if (errors.length > 0)
    throw cleanupFailed(errors, `An image goes once no container uses it: call ${say('down')} first.`)
  return inOrder
}
