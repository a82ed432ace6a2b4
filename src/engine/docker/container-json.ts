import type { Device } from '../../formats/device.ts'
import type { Protocol } from '../../formats/port-range.ts'
import type {
  ContainerDetails,
  ContainerMount,
  ContainerNetwork,
  ContainerSpec,
  ContainerState,
  ContainerSummary,
  MountedPath,
  PortBinding,
  PublishedPort,
} from '../../model/container.ts'
import type { Tmpfs } from '../../model/fleet.ts'
import type { Labels } from '../../model/labels.ts'
import type { Maybe, MaybeTexts } from './client.ts'
import type { Dialect } from './dialect.ts'

type NetworksJson = Maybe<Readonly<Record<string, ContainerNetworkJson>>>

export interface ContainerSummaryJson extends MaybeTexts<'Image' | 'ImageID' | 'State'> {
  readonly Id: string
  readonly Names?: Maybe<readonly string[]>
  /** Time of creation, in seconds since 1970. */
  readonly Created?: Maybe<number>
  readonly Labels?: Maybe<Labels>
  readonly Ports?: Maybe<readonly PortJson[]>
  readonly NetworkSettings?: Maybe<{ readonly Networks?: NetworksJson }>
}

/** An exposed port without a binding has no public port. */
interface PortJson extends MaybeTexts<'IP' | 'Type'> {
  readonly PrivatePort?: Maybe<number>
  readonly PublicPort?: Maybe<number>
}

/** `Created` is a time of RFC 3339, as in networks and volumes. */
export interface ContainerJson extends MaybeTexts<'Created' | 'Name' | 'Image'> {
  readonly Id: string
  readonly State?: Maybe<StateJson>
  readonly RestartCount?: Maybe<number>
  readonly Config?: Maybe<
    MaybeTexts<'Image' | 'User'> & {
      readonly Tty?: Maybe<boolean>
      readonly Labels?: Maybe<Labels>
      readonly Env?: EnvironmentJson
    }
  >
  readonly HostConfig?: Maybe<{ readonly Memory?: Maybe<number> }>
  readonly Mounts?: Maybe<readonly MountJson[]>
  readonly NetworkSettings?: Maybe<{
    readonly Networks?: NetworksJson
    readonly Ports?: Maybe<Readonly<Record<string, Maybe<readonly BindingJson[]>>>>
  }>
}

interface StateJson extends MaybeTexts<'Status' | 'Error' | 'StartedAt' | 'FinishedAt'> {
  readonly ExitCode?: Maybe<number>
  readonly OOMKilled?: Maybe<boolean>
  readonly Pid?: Maybe<number>
  readonly Health?: Maybe<MaybeTexts<'Status'>>
}

/** Texts such as `NAME=value`. */
export type EnvironmentJson = Maybe<readonly string[]>
type MountJson = MaybeTexts<'Type' | 'Name' | 'Destination'> & { readonly RW?: Maybe<boolean> }
type ContainerNetworkJson = MaybeTexts<'NetworkID' | 'IPAddress' | 'Gateway'>
type BindingJson = MaybeTexts<'HostIp' | 'HostPort'>

/** The body of `POST /containers/create`. */
export function containerBody(spec: ContainerSpec, dialect: Dialect): object {
  return {
    Image: spec.image,
    Hostname: spec.hostname,
    ...given('Cmd', spec.command),
    ...given('Entrypoint', spec.entrypoint),
    ...given('User', spec.user),
    ...given('WorkingDir', spec.workingDir),
    ...given('StopSignal', spec.stopSignal),
    ...given('Tty', spec.tty),
    ...given('StopTimeout', spec.stopGraceMs === undefined ? undefined : Math.ceil(spec.stopGraceMs / 1000)),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: spec.labels,
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [portKey(port), {}])),
    HostConfig: hostConfig(spec, dialect),
    // Before API 1.44 a container is created on exactly one network, named here and as the mode.
    NetworkingConfig: { EndpointsConfig: { [spec.network.name]: { Aliases: spec.network.aliases } } },
  }
}

function hostConfig(spec: ContainerSpec, { sysctls, logConfig }: Dialect): object {
  const { memoryBytes, cpus, pids } = spec.limits
  return {
    NetworkMode: spec.network.name,
    PortBindings: portBindings(spec.ports),
    ExtraHosts: Object.entries(spec.extraHosts).map(([name, address]) => `${name}:${address}`),
    Mounts: spec.mounts.map(mountOf),
    Tmpfs: Object.fromEntries(spec.tmpfs.map((tmpfs) => [tmpfs.to, tmpfsOptions(tmpfs)])),
    ReadonlyRootfs: spec.readOnly,
    Init: spec.init,
    CapAdd: spec.capAdd,
    CapDrop: spec.capDrop,
    Privileged: spec.privileged,
    ...given('Dns', spec.dns),
    ...given('RestartPolicy', spec.restarts && { Name: 'on-failure', MaximumRetryCount: spec.restarts }),
    ...given('Devices', spec.devices?.map(deviceOf)),
    Sysctls: { ...sysctls, ...spec.sysctls },
    Ulimits: Object.entries(spec.ulimits).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
    SecurityOpt: spec.newPrivileges ? [] : ['no-new-privileges'],
    ...given('Memory', memoryBytes),
    ...given('NanoCpus', cpus === undefined ? undefined : Math.round(cpus * 1e9)),
    ...given('PidsLimit', pids),
    ...given('LogConfig', logConfig),
  }
}

function deviceOf({ host, container, permissions }: Device): object {
  return { PathOnHost: host, PathInContainer: container, CgroupPermissions: permissions }
}

function given<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value }
}

function portKey(port: PortBinding): string {
  return `${port.container}/${port.protocol}`
}

/** A port may be published more than once. Without a port of the host, the engine takes a free one. */
function portBindings(ports: readonly PortBinding[]): Record<string, object[]> {
  const bindingOf = ({ address, host }: PortBinding) => ({ HostIp: address, HostPort: String(host ?? '') })
  return Object.fromEntries([...Map.groupBy(ports, portKey)].map(([key, bound]) => [key, bound.map(bindingOf)]))
}

/** Returns a mount instead of a bind, so that a missing path of the host is an error and is not created. */
function mountOf(mount: ContainerMount): object {
  const shared = { Target: mount.to, ReadOnly: !mount.writable }
  switch (mount.kind) {
    case 'bind':
      return { ...shared, Type: 'bind', Source: mount.from }
    case 'volume':
      return { ...shared, Type: 'volume', Source: mount.volume }
    case 'ownVolume':
      return { ...shared, Type: 'volume', VolumeOptions: { Labels: mount.labels } }
  }
}

function tmpfsOptions({ sizeBytes, mode, uid, gid, exec = false }: Tmpfs): string {
  const options = Object.entries({ size: sizeBytes, mode: mode?.toString(8), uid, gid })
  const given = options.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  // Engines add `noexec` by themselves.
  return [...given, ...(exec ? ['exec'] : [])].join(',')
}

export function readSummary(json: ContainerSummaryJson): ContainerSummary {
  return {
    id: json.Id,
    name: nameOf(json.Names?.[0]),
    imageId: json.ImageID ?? '',
    image: json.Image ?? '',
    state: stateOf(json.State),
    ...(json.State === 'restarting' && { isRestarting: true }),
    labels: json.Labels ?? {},
    createdAtMs: (json.Created ?? 0) * 1000,
    networks: Object.entries(json.NetworkSettings?.Networks ?? {}).map(readNetwork),
    published: (json.Ports ?? []).flatMap(readPort),
  }
}

export function readDetails(json: ContainerJson): ContainerDetails {
  const { State: state, Config: config, NetworkSettings: network } = json
  const status = stateOf(state?.Status)
  return {
    id: json.Id,
    name: nameOf(json.Name),
    imageId: json.Image ?? '',
    image: config?.Image ?? '',
    state: status,
    labels: config?.Labels ?? {},
    createdAtMs: readTime(json.Created),
    user: config?.User ?? '',
    environment: readEnvironment(config?.Env),
    mounts: (json.Mounts ?? []).flatMap(readMount),
    exitCode: hasEnded(state?.Status) ? (state?.ExitCode ?? undefined) : undefined,
    isOutOfMemory: state?.OOMKilled ?? false,
    processId: state?.Pid || undefined,
    memoryBytes: json.HostConfig?.Memory || undefined,
    restarts: json.RestartCount ?? 0,
    isRestarting: state?.Status === 'restarting',
    startedAtMs: Math.max(readTime(state?.StartedAt), 0),
    endedAtMs: Math.max(readTime(state?.FinishedAt), 0),
    error: state?.Error ?? '',
    health: healthOf(state?.Health?.Status),
    networks: Object.entries(network?.Networks ?? {}).map(readNetwork),
    // Podman goes on listing the ports of a container that has ended.
    published: status === 'exited' ? [] : Object.entries(network?.Ports ?? {}).flatMap(readBindings),
    raw: json,
  }
}

/** Returns zero for a time that is missing or unreadable. */
export function readTime(text: Maybe<string>): number {
  return Date.parse(text ?? '') || 0
}

/** A name without a value is unset when a container starts. */
export function readEnvironment(texts: EnvironmentJson): Record<string, string> {
  const pairs = (texts ?? []).flatMap((text) => {
    const end = text.indexOf('=')
    return end > 0 ? [[text.slice(0, end), text.slice(end + 1)] as const] : []
  })
  return Object.fromEntries(pairs)
}

/** An engine gives a volume without a name 64 hexadecimal digits. */
function readMount({ Type, Name, Destination, RW }: MountJson): MountedPath[] {
  if (!Destination || Type === 'tmpfs') return []
  const isOwn = Type === 'volume' && /^[0-9a-f]{64}$/.test(Name ?? '')
  return [{ to: Destination, kind: isOwn ? 'ownVolume' : Type === 'volume' ? 'volume' : 'bind', writable: RW ?? false }]
}

function nameOf(name: Maybe<string>): string {
  return (name ?? '').replace(/^\//, '')
}

/** Docker: created, running, paused, restarting, removing, exited, dead. Podman adds configured, initialized, stopping, stopped. */
function stateOf(status: Maybe<string>): ContainerState {
  if (status === 'paused') return status
  if (/^(?:running|restarting|stopping)$/.test(status ?? '')) return 'running'
  return /^(?:created|configured|initialized)$/.test(status ?? '') ? 'created' : 'exited'
}

const hasEnded = (status: Maybe<string>): boolean => status === 'restarting' || stateOf(status) === 'exited'

function healthOf(status: Maybe<string>): ContainerDetails['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none'
}

function readNetwork([name, json]: [string, ContainerNetworkJson]): ContainerNetwork {
  return { name, networkId: json.NetworkID ?? '', ip: json.IPAddress ?? '', gateway: json.Gateway ?? '' }
}

function readPort({ IP, PrivatePort, PublicPort, Type }: PortJson): PublishedPort[] {
  if (!PrivatePort || !PublicPort) return []
  return [{ container: PrivatePort, protocol: (Type ?? 'tcp') as Protocol, address: IP || '0.0.0.0', port: PublicPort }]
}

/** An exposed port without a binding has a null value. */
function readBindings([key, bindings]: [string, Maybe<readonly BindingJson[]>]): PublishedPort[] {
  const [container, protocol = 'tcp'] = key.split('/')
  return (bindings ?? []).flatMap(({ HostIp, HostPort }) => {
    const port = Number(HostPort)
    if (!(port > 0)) return []
    return [{ container: Number(container), protocol: protocol as Protocol, address: HostIp || '0.0.0.0', port }]
  })
}
