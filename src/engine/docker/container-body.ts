import type { ContainerMount, ContainerSpec, PortBinding } from '../../model/container.ts'
import type { Tmpfs } from '../../model/fleet.ts'
import type { Spoken } from './negotiate.ts'

/** The body of `POST /containers/create`. */
export function containerBody(spec: ContainerSpec, { isDocker }: Spoken): object {
  return {
    Image: spec.image,
    Hostname: spec.hostname,
    ...given('Cmd', spec.command),
    ...given('Entrypoint', spec.entrypoint),
    ...given('User', spec.user),
    ...given('WorkingDir', spec.workingDir),
    ...given('StopSignal', spec.stopSignal),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: spec.labels,
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [portKey(port), {}])),
    HostConfig: hostConfig(spec, isDocker),
    // One network, named here and as the mode: before API 1.44 a container is created on exactly one.
    NetworkingConfig: { EndpointsConfig: { [spec.network.name]: { Aliases: spec.network.aliases } } },
  }
}

function hostConfig(spec: ContainerSpec, isDocker: boolean): object {
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
    Sysctls: spec.sysctls,
    Ulimits: Object.entries(spec.ulimits).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
    SecurityOpt: spec.newPrivileges ? [] : ['no-new-privileges'],
    ...given('Memory', memoryBytes),
    ...given('NanoCpus', cpus === undefined ? undefined : Math.round(cpus * 1e9)),
    ...given('PidsLimit', pids),
    // Whatever the engine's default is: some drivers cannot be read from. Podman has drivers of its own.
    ...(isDocker ? { LogConfig: { Type: 'json-file', Config: {} } } : {}),
  }
}

function given<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value }
}

function portKey(port: PortBinding): string {
  return `${port.container}/${port.protocol}`
}

/** A port may be published more than once. Without a port of the host, the engine takes a free one. */
function portBindings(ports: readonly PortBinding[]): Record<string, object[]> {
  const bindings: Record<string, object[]> = {}
  for (const port of ports) {
    bindings[portKey(port)] ??= []
    bindings[portKey(port)]?.push({ HostIp: port.address, HostPort: port.host === undefined ? '' : String(port.host) })
  }
  return bindings
}

/** Mounts, not binds: a path of the host that does not exist is then an error, and is not made by the engine. */
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

function tmpfsOptions({ sizeBytes, mode, uid, gid }: Tmpfs): string {
  const options = { size: sizeBytes, mode: mode?.toString(8), uid, gid }
  return Object.entries(options)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join(',')
}
