import { pullImage } from './images/pull-image.ts'
import { buildImages } from './images.ts'
import type { Fleet } from './model/fleet.ts'
import type { OperationOf, Plan } from './model/plan.ts'
import { carryOut, reportOperations } from './plan/carry-out.ts'
import { planImages } from './plan/plan-images.ts'
import { selectServers } from './plan/reconcile.ts'
import { isFleetBusy } from './sessions/busy.ts'
import { collectErrors } from './sessions/end.ts'
import type { Tools } from './tools.ts'
import { prepareServers } from './up/prepare-servers.ts'
import { up } from './up/up.ts'

export interface BakedImage {
  readonly reference: string
  /** Whether it had to be baked; false when the engine had it. */
  readonly isNew: boolean
}

/** Bakes the images that are missing, and builds and pulls what they need. Returns the image of each server with `bake`. */
export async function bakeImages(
  fleet: Fleet,
  names: readonly string[],
  tools: Tools,
): Promise<ReadonlyMap<string, BakedImage>> {
  const { engine, onEvent, signal } = tools
  const servers = selectServers(fleet, names).filter(({ bake }) => bake !== undefined)
  if (servers.length === 0) return new Map()
  // Loaded on demand, as `up` does it.
  const [{ bakeServer }, { withBakeSources }] = await Promise.all([
    import('./bake/bake-server.ts'),
    import('./bake/prepare-bakes.ts'),
  ])
  await buildImages(
    fleet,
    withBakeSources(servers, fleet).map(({ name }) => name),
    tools,
  )
  onEvent({ kind: 'phaseBegan', phase: 'plan' })
  const { images } = await prepareServers(servers, fleet, { inUse: new Set(), mayPull: true }, tools)
  const bakes = servers.flatMap(({ name: server }) => {
    const image = images.get(server)?.desired
    return image?.kind === 'baked' ? [{ server, image }] : []
  })
  const plan: Plan = { session: '', operations: planImages(bakes) }
  const desired = new Map(bakes.map(({ server, image }) => [server, image]))
  tools.recorder.begin({ fleet, plan, images: desired, secrets: new Map(), certificates: new Map() })
  onEvent({ kind: 'phaseBegan', phase: 'carryOut' })
  const [failure] = await carryOut(
    plan,
    {
      pullImage: (operation, stop) => {
        const at = fleet.source.locate(['servers', operation.servers[0] ?? '', 'image'])
        return pullImage({ ...operation, at }, engine, onEvent, { signal: stop })
      },
      bakeImage: (operation, stop) => bakeServer(operation, { fleet, bringUp: up }, tools, stop),
    },
    { signal, onFailure: 'stop', ...reportOperations(onEvent) },
  )
  onEvent({ kind: 'phaseBegan', phase: 'finish' })
  const made = plan.operations.filter((one) => one.kind === 'bakeImage')
  await collectErrors([tidy(made, fleet, tools)])
  if (failure !== undefined) throw failure.error
  return new Map(
    bakes.map(({ server, image: { bake } }) => [server, { reference: bake.reference, isNew: !bake.isPresent }]),
  )
}

async function tidy(made: readonly OperationOf<'bakeImage'>[], fleet: Fleet, tools: Tools): Promise<void> {
  if (made.length === 0) return
  const { engine, host, onEvent, signal } = tools
  const { tidyAfterBuild } = await import('./images/old-images.ts')
  const built = made.map(({ reference }) => reference)
  const isBusy = (): Promise<boolean> => isFleetBusy(fleet.name, '', tools)
  const request = { fleet: fleet.name, built, spared: new Set(built), environment: host.environment, isBusy, onEvent }
  await tidyAfterBuild(request, engine, { signal })
}
