import type { BringUp } from '../bake/bake-server.ts'
import { pullImage } from '../images/pull-image.ts'
import type { Fleet } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import type { SessionRecord } from '../model/session.ts'
import type { Handlers } from '../plan/carry-out.ts'
import { networkName, resourceLabels, type SessionSettings, volumeName } from '../servers/describe-server.ts'
import { startWithNumbers } from '../servers/shared-ports.ts'
import { createServer, deliverFiles, type StartRequest, startServer } from '../servers/start-server.ts'
import { isFleetBusy } from '../sessions/busy.ts'
import type { OwnChange } from '../sessions/change.ts'
import type { Tools } from '../tools.ts'
import { awaitRestarting, awaitServer, findWanted } from './await-servers.ts'
import type { PlannedUp } from './plan-up.ts'
import type { Starting } from './prepare-start.ts'
import { describeSurroundings } from './process-variables.ts'
import { recordServers } from './record-servers.ts'
import { describeStoppable, replacementHandlers } from './replace-servers.ts'
import { createdId, describeStart, finalDigest } from './start-request.ts'
import type { Watch } from './watch-servers.ts'

/** Everything that the handlers of an `up` share. */
export interface Work extends Starting {
  readonly fleet: Fleet
  readonly planned: PlannedUp
  /** Includes the ids of this change. */
  readonly settings: SessionSettings
  /** Change of this call; undefined for a plan that changes nothing. */
  readonly change: OwnChange | undefined
  /** When the session shall end; undefined keeps its lifetime unchanged. */
  readonly untilMs: number | undefined
  /** The containers that this call has created, by server. */
  readonly created: Map<string, string>
  /** When each of them was started, on the clock of `performance.now()`. */
  readonly startedAt: Map<string, number>
  /** The servers whose `postStart` commands have completed. */
  readonly finished: Set<string>
  /** Digests of the variables that this call has given to processes, by server. */
  readonly given: Map<string, string | undefined>
  readonly watch: Watch
  /** Brings up the session in which an image is baked. */
  readonly bringUp: BringUp
  /** Pending removals of old images, which run while servers start. */
  readonly tidying: Promise<void>[]
  /** Reports the session just before it is saved: if the report fails, the change is undone and not saved. */
  report(servers: SessionRecord['servers'], signal: AbortSignal): Promise<void>
}

/** Creates the handlers that carry out the operations of an `up`. */
export function createHandlers(work: Work, tools: Tools): Partial<Handlers> {
  return {
    ...imageHandlers(work, tools),
    ...resourceHandlers(work, tools),
    ...serverHandlers(work, tools),
    ...readyHandlers(work, tools),
    ...replacementHandlers(work, tools),
  }
}

function imageHandlers(work: Work, tools: Tools): Partial<Handlers> {
  const { fleet, settings } = work
  const { engine, onEvent } = tools
  return {
    pullImage(operation, signal) {
      const at = fleet.source.locate(['servers', operation.servers[0] ?? '', 'image'])
      return pullImage({ ...operation, at }, engine, onEvent, { signal })
    },
    async buildImage(operation, signal) {
      // Loaded on demand: most calls build nothing.
      const { buildImage } = await import('../images/build-image.ts')
      const { owner, change } = settings
      await buildImage(
        operation,
        engine,
        { fleet: fleet.name, owner, change, source: fleet.source, onEvent },
        { signal },
      )
      work.tidying.push(removeOldImages(operation.references, work, tools))
    },
    async bakeImage(operation, signal) {
      // Loaded on demand: few servers are baked.
      const { bakeServer } = await import('../bake/bake-server.ts')
      await bakeServer(operation, work, tools, signal)
      work.tidying.push(removeOldImages([operation.reference], work, tools))
    },
  }
}

async function removeOldImages(built: readonly string[], work: Work, tools: Tools): Promise<void> {
  const { tidyAfterBuild } = await import('../images/old-images.ts')
  const { fleet, planned, settings } = work
  const { host, signal, onEvent } = tools
  const spared = new Set(
    planned.plan.operations.flatMap((one) =>
      one.kind === 'buildImage' ? one.references : one.kind === 'bakeImage' ? [one.reference] : [],
    ),
  )
  const isBusy = (): Promise<boolean> => isFleetBusy(fleet.name, settings.change, tools)
  const request = { fleet: fleet.name, built, spared, environment: host.environment, isBusy, onEvent }
  await tidyAfterBuild(request, tools.engine, { signal })
}

function resourceHandlers(work: Work, tools: Tools): Partial<Handlers> {
  const { fleet, settings, change, untilMs } = work
  const labels = resourceLabels(fleet.name, settings)
  const { runtime, onEvent } = tools
  return {
    // Not cancelled half-way: the engine would still create the object, and nobody would know of it.
    async createNetwork() {
      await runtime.createNetwork(networkName(settings), labels)
      onEvent({ kind: 'networkCreated', network: networkName(settings) })
    },
    async createVolume({ volume }) {
      await runtime.createVolume(volumeName(volume, settings), { ...labels, [label.volume]: volume })
      onEvent({ kind: 'volumeCreated', volume })
    },
    async saveRecord(_, signal) {
      if (change === undefined) return
      const lifetime = untilMs === undefined ? undefined : ({ kind: 'until', untilMs } as const)
      const { name, domain } = fleet
      await awaitRestarting(work, tools, signal)
      const servers = await recordServers(change, work, tools)
      await work.report(servers, signal)
      await change.save({ fleet: name, domain, servers, lifetime })
    },
  }
}

function serverHandlers(work: Work, tools: Tools): Partial<Handlers> {
  const { runtime, onEvent } = tools
  const { created, startedAt } = work
  /** Servers that need new host ports, because another program has taken the ones they had. */
  const withNewPorts = new Set<string>()
  const request = (server: string): StartRequest => {
    const start = describeStart(server, work, tools)
    return withNewPorts.has(server) ? { ...start, keptPorts: new Map() } : start
  }
  const create = async (server: string, signal: AbortSignal): Promise<void> => {
    const wanted = findWanted(server, work)
    const digest = await finalDigest(wanted, work, tools, signal)
    const surroundings = await describeSurroundings(wanted.server, work, { ...tools, signal })
    const container = await createServer({ ...request(server), digest, ...surroundings }, { signal })
    created.set(server, container)
    onEvent({ kind: 'created', server, container })
  }
  return {
    createServer: ({ server }, signal) => create(server, signal),
    deliverFiles: ({ server }, signal) => deliverFiles(createdId(server, work), request(server), { signal }),
    async startServer({ server }, signal) {
      startedAt.set(server, performance.now())
      onEvent({ kind: 'starting', server })
      const { ports, runs } = findWanted(server, work).server
      const isChosen = work.settings.bind === 'fixed' || runs.kind !== 'container'
      await startWithNumbers(isChosen ? [] : ports, {
        hasKeptPorts: request(server).keptPorts.size > 0,
        start: () => startServer(createdId(server, work), request(server), { signal }),
        async makeAgain() {
          withNewPorts.add(server)
          await runtime.removeServer({ ...describeStoppable(server, createdId(server, work), work), state: 'created' })
          await create(server, signal)
          await deliverFiles(createdId(server, work), request(server), { signal })
        },
      })
      onEvent({ kind: 'started', server })
    },
    async resumeServer({ server, container, wasPaused }, signal) {
      startedAt.set(server, performance.now())
      onEvent({ kind: 'starting', server })
      if (wasPaused) await runtime.resumeServer(container, { signal })
      else await startServer(container, request(server), { signal })
    },
  }
}

function readyHandlers(work: Work, tools: Tools): Partial<Handlers> {
  const { runtime, onEvent } = tools
  const { planned, created, startedAt } = work
  const tellReady = (server: string, isCompleted: boolean): void => {
    const elapsedMs = performance.now() - (startedAt.get(server) ?? 0)
    onEvent({ kind: 'ready', server, elapsedMs, isKept: false, isCompleted })
  }
  return {
    async runHooks({ server, hook }, signal) {
      // Loaded on demand: few servers have such commands.
      const { runHooks } = await import('./run-hooks.ts')
      await runHooks(hook, describeStart(server, work, tools), createdId(server, work), tools, signal)
      if (hook === 'preStart') return
      work.finished.add(server)
      tellReady(server, false)
    },
    async awaitReady({ server }, signal) {
      const id = created.get(server) ?? planned.observed.get(server)?.container.id ?? createdId(server, work)
      const container = await runtime.inspectServer(id, { signal })
      const isCompleted = await awaitServer(server, container, work, tools, signal)
      if (!isCompleted) work.watch.add(server, container.id)
      // One that is not new has run its `postStart` commands when it was created.
      const isPending = created.has(server) && findWanted(server, work).server.postStart.length > 0
      if (!isPending) tellReady(server, isCompleted)
    },
    async keepServer({ server, isCompleted }, signal) {
      const begunAt = performance.now()
      const container = planned.observed.get(server)?.container
      if (container === undefined) throw new Error(`the plan keeps ${server}, which was not observed`)
      // A server without ready checks that is running counts as ready.
      if (!isCompleted && findWanted(server, work).server.ready.length > 0)
        await awaitServer(server, container, work, tools, signal)
      onEvent({ kind: 'ready', server, elapsedMs: performance.now() - begunAt, isKept: true, isCompleted })
    },
  }
}
