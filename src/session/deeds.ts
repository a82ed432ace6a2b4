import type { Deeds } from '../containers/carry-out.ts'
import type { Certificates } from '../containers/deliver-certificates.ts'
import { desireServer, type SessionSettings, sessionLabels, volumeName } from '../containers/desire.ts'
import type { ObservedSession } from '../containers/observe.ts'
import type { SecretValues } from '../containers/secrets.ts'
import { setAside } from '../containers/set-aside.ts'
import { startServer } from '../containers/start-server.ts'
import type { Engine } from '../engine/engine.ts'
import { pullImage } from '../images/pull-image.ts'
import type { ContainerSummary } from '../model/container.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Desired, DesiredServer } from '../model/plan.ts'
import { waitUntilReady } from '../ready/wait-until-ready.ts'
import { describeSubject } from './check-subject.ts'
import type { Tools } from './tools.ts'

export interface Work {
  readonly fleet: Fleet
  readonly desired: Desired
  readonly settings: SessionSettings
  /** The session as it was found. */
  readonly observed: ObservedSession
  /** The session's network; undefined until it is made. */
  networkId: string | undefined
  /** Servers whose containers this call has made. */
  readonly created: Set<string>
  /** Of every server that is started, by its name. Their values are kept out of all that is written. */
  readonly secrets: ReadonlyMap<string, SecretValues>
  /** The same; none for a fleet without certificates. */
  readonly certificates: ReadonlyMap<string, Certificates>
}

/** How each operation of an `up` is done. */
export function createDeeds(work: Work, tools: Tools): Deeds {
  const { engine, onEvent } = tools
  const { fleet, settings, created } = work
  const labels = sessionLabels(fleet, settings)
  return {
    pullImage(operation, signal) {
      const at = fleet.source.locate(['servers', operation.servers[0] ?? '', 'image'])
      return pullImage({ ...operation, at }, engine, onEvent, { signal })
    },
    async buildImage(operation, signal) {
      // Most calls build nothing, and what packs a context is slow to load.
      const { buildImage } = await import('../images/build-image.ts')
      const about = { fleet: fleet.name, owner: settings.owner, lease: settings.lease, source: fleet.source, onEvent }
      await buildImage(operation, engine, about, { signal })
    },
    // What is short and makes something is not cancelled half-way: it would leave what nobody knows of.
    async createNetwork() {
      work.networkId = await engine.createNetwork(settings.session, labels).catch((error: unknown) => {
        throw isFailure(error, 'NAME_TAKEN') ? explainTakenNetwork(settings.session, error) : error
      })
    },
    async createVolume({ volume }) {
      const name = volumeName(settings.session, volume)
      await engine.createVolume(name, labels)
    },
    // It goes for good once all that comes in its place is ready; until then it can be put back.
    async removeServer({ server, containerId, stopSignal, reason }, signal) {
      onEvent({ kind: 'removing', server, reason })
      const container = work.observed.servers.get(server)?.container
      const ran = container?.state === 'running' || container?.state === 'paused'
      await setAside(
        engine,
        containerId,
        { session: settings.session, server, lease: settings.lease, ran },
        stopSignal,
        {
          signal,
        },
      )
      onEvent({ kind: 'removed', server })
    },
    async startServer({ server, reason }, signal) {
      const wanted = findWanted(work.desired, server)
      const started = performance.now()
      onEvent({ kind: 'starting', server, reason })
      const request = {
        server: wanted.server,
        fleet,
        image: wanted.image.kind === 'named' ? wanted.image.reference : wanted.image.build.reference,
        digest: await finalDigest(wanted, work, engine, signal),
        settings,
        networkId: work.networkId ?? settings.session,
        secrets: work.secrets.get(server) ?? new Map(),
        certificates: work.certificates.get(server),
      }
      const containerId = await startServer(request, engine, () => created.add(server), { signal })
      const container = await engine.inspectContainer(containerId, { signal })
      const isCompleted = await settle(wanted, container, tools, signal)
      onEvent({ kind: 'ready', server, elapsedMs: performance.now() - started, isKept: false, isCompleted })
    },
    async keepServer({ server, isCompleted }, signal) {
      const started = performance.now()
      const wanted = findWanted(work.desired, server)
      // One that can be asked nothing runs, and has lived long enough.
      const container = work.observed.servers.get(server)?.container
      if (container === undefined) throw new Error(`the plan keeps ${server}, which was not observed`)
      if (!isCompleted && wanted.server.ready.length > 0) await settle(wanted, container, tools, signal)
      onEvent({ kind: 'ready', server, elapsedMs: performance.now() - started, isKept: true, isCompleted })
    },
  }
}

/** Only a network that carries our labels is ever touched; one of that name that is not ours stays. */
function explainTakenNetwork(session: string, cause: TestfleetError): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the network ${session} is there already`, {
    hint: 'It is not of this session, unless another call is just starting it. Remove it, or name another session with --session.',
    cause,
  })
}

/** A pulled image is known by its id only now; a digest without it would ask the next `up` for another container. */
async function finalDigest(wanted: DesiredServer, work: Work, engine: Engine, signal: AbortSignal): Promise<string> {
  const { image, server } = wanted
  if (image.kind === 'built' || image.isPresent) return wanted.digest
  const pulled = await engine.inspectImage(image.reference, { signal })
  return desireServer(server, work.fleet, { desired: image, identity: pulled?.id ?? '' }, work.settings).digest
}

/** Waits until the server is ready; true when it has done its work and ended. */
async function settle(
  { server }: DesiredServer,
  container: ContainerSummary,
  tools: Tools,
  signal: AbortSignal,
): Promise<boolean> {
  const { engine, onEvent } = tools
  const subject = describeSubject(server.name, container, server, engine, server)
  return waitUntilReady(subject, {
    checks: server.ready,
    timeoutMs: server.readyTimeoutMs,
    signal,
    onAnswer: (check, answer) => onEvent({ kind: 'waiting', server: server.name, check, answer }),
    onHold: (check) => onEvent({ kind: 'holds', server: server.name, check }),
  })
}

function findWanted(desired: Desired, name: string): DesiredServer {
  const wanted = desired.servers.get(name)
  if (wanted === undefined) throw new Error(`the plan starts ${name}, which is not desired`)
  return wanted
}
