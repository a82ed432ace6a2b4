import type {
  ContainerDetails,
  ContainerNetwork,
  ContainerState,
  ContainerSummary,
  PublishedPort,
} from '../../model/container.ts'
import type { Protocol } from '../../model/fleet.ts'
import type { Maybe, WireBinding, WireContainer, WireContainerSummary, WireEndpoint, WirePort } from './wire.ts'

export function readSummary(wire: WireContainerSummary): ContainerSummary {
  return {
    id: wire.Id,
    name: nameOf(wire.Names?.[0]),
    imageId: wire.ImageID ?? '',
    image: wire.Image ?? '',
    state: stateOf(wire.State),
    labels: wire.Labels ?? {},
    createdAtMs: (wire.Created ?? 0) * 1000,
    networks: Object.entries(wire.NetworkSettings?.Networks ?? {}).map(readNetwork),
    published: (wire.Ports ?? []).flatMap(readPort),
  }
}

export function readDetails(wire: WireContainer): ContainerDetails {
  const { State: state, Config: config, NetworkSettings: network } = wire
  const status = stateOf(state?.Status)
  return {
    id: wire.Id,
    name: nameOf(wire.Name),
    imageId: wire.Image ?? '',
    image: config?.Image ?? '',
    state: status,
    labels: config?.Labels ?? {},
    createdAtMs: readTime(wire.Created),
    user: config?.User ?? '',
    exitCode: status === 'exited' ? (state?.ExitCode ?? undefined) : undefined,
    isOutOfMemory: state?.OOMKilled ?? false,
    error: state?.Error ?? '',
    health: healthOf(state?.Health?.Status),
    networks: Object.entries(network?.Networks ?? {}).map(readNetwork),
    published: Object.entries(network?.Ports ?? {}).flatMap(readBindings),
    raw: wire,
  }
}

/** Zero, long ago, for what no engine should answer. */
export function readTime(text: Maybe<string>): number {
  return Date.parse(text ?? '') || 0
}

function nameOf(name: Maybe<string>): string {
  return (name ?? '').replace(/^\//, '')
}

/** Docker: created, running, paused, restarting, removing, exited, dead. Podman adds configured, initialized, stopping, stopped. */
function stateOf(status: Maybe<string>): ContainerState {
  switch (status) {
    case 'running':
    case 'restarting':
    case 'stopping':
      return 'running'
    case 'created':
    case 'configured':
    case 'initialized':
      return 'created'
    case 'paused':
      return 'paused'
    default:
      return 'exited'
  }
}

function healthOf(status: Maybe<string>): ContainerDetails['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none'
}

function readNetwork([name, wire]: [string, WireEndpoint]): ContainerNetwork {
  return { name, networkId: wire.NetworkID ?? '', ip: wire.IPAddress ?? '', gateway: wire.Gateway ?? '' }
}

function readPort({ IP, PrivatePort, PublicPort, Type }: WirePort): PublishedPort[] {
  if (!PrivatePort || !PublicPort) return []
  return [{ container: PrivatePort, protocol: (Type ?? 'tcp') as Protocol, address: IP || '0.0.0.0', port: PublicPort }]
}

/** A port that is only exposed has no bindings. */
function readBindings([key, bindings]: [string, Maybe<readonly WireBinding[]>]): PublishedPort[] {
  const [container, protocol = 'tcp'] = key.split('/')
  return (bindings ?? []).flatMap(({ HostIp, HostPort }) => {
    const port = Number(HostPort)
    if (!(port > 0)) return []
    return [{ container: Number(container), protocol: protocol as Protocol, address: HostIp || '0.0.0.0', port }]
  })
}
