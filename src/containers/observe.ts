import type { CallOptions, Engine } from '../engine/engine.ts'
import type { ContainerSummary } from '../model/container.ts'
import { label } from '../model/labels.ts'
import { type Lease, readSetAside } from '../model/lease.ts'
import type { ObservedServer } from '../model/plan.ts'
import type { RunningSpec } from '../model/running.ts'
import { readLease } from './lease-labels.ts'
import { readRunningSpec } from './running-spec.ts'

/** A session as the engine has it, read from labels alone. */
export interface ObservedSession {
  readonly session: string
  readonly fleet: string
  readonly domain: string
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  readonly servers: ReadonlyMap<string, ObservedContainer>
  /** Containers of servers that are being replaced, or were when a call died. */
  readonly setAside: readonly ContainerSummary[]
  readonly leases: readonly Lease[]
  /** But for leases. */
  readonly isEmpty: boolean
}

export interface ObservedContainer {
  readonly name: string
  readonly container: ContainerSummary
  readonly spec: RunningSpec
}

export async function observeSession(engine: Engine, session: string, options: CallOptions): Promise<ObservedSession> {
  const wanted = { [label.session]: session }
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers(wanted, options),
    engine.listNetworks(wanted, options),
    engine.listVolumes(wanted, options),
  ])
  const setAside = containers.filter(({ name }) => readSetAside(name) !== undefined)
  const current = containers.filter((container) => !setAside.includes(container))
  const servers = current.map((container): ObservedContainer => {
    const name = container.labels[label.server] ?? container.name
    return { name, container, spec: readRunningSpec(container.labels) }
  })
  const leases = volumes.flatMap(readLease)
  const ownVolumes = volumes.map(({ name }) => name).filter((name) => !leases.some(({ volume }) => volume === name))
  const labels = containers[0]?.labels ?? networks[0]?.labels ?? {}
  return {
    session,
    fleet: labels[label.fleet] ?? session,
    domain: labels[label.domain] ?? '',
    networks: networks.map(({ id }) => id),
    volumes: ownVolumes,
    servers: new Map(servers.map((server) => [server.name, server])),
    setAside,
    leases,
    isEmpty: containers.length + networks.length + ownVolumes.length === 0,
  }
}

/** What reconciling needs to know of a container. */
export async function observeServer(
  { name, container, spec }: ObservedContainer,
  engine: Engine,
  options: CallOptions,
): Promise<Omit<ObservedServer, 'changedSecrets'>> {
  return {
    name,
    containerId: container.id,
    digest: container.labels[label.digest] ?? '',
    state: await stateOf(container, spec, engine, options),
    stopSignal: spec.stopSignal,
    authority: spec.authority,
  }
}

/** Whether it runs, has ended as an `exit` check wants it, or has stopped. Its exit code is asked for only where it decides. */
export async function stateOf(
  container: ContainerSummary,
  spec: RunningSpec,
  engine: Engine,
  options: CallOptions,
): Promise<ObservedServer['state']> {
  if (container.state === 'running') return 'running'
  const exit = spec.ready.find((check) => check.kind === 'exit')
  if (exit === undefined || container.state !== 'exited') return 'stopped'
  const { exitCode } = await engine.inspectContainer(container.id, options)
  return exitCode === exit.code ? 'completed' : 'stopped'
}
