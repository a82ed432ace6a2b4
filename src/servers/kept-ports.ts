import type { ContainerSpec, PublishedPort } from '../model/container.ts'
import type { Port } from '../model/fleet.ts'

/** Host ports, by `<port>/<protocol>` of the container. */
export type KeptPorts = ReadonlyMap<string, number>

const keyOf = ({ container, protocol }: Pick<Port, 'container' | 'protocol'>): string => `${container}/${protocol}`

/**
 * Returns the host ports that the engine chose for a server that is replaced. The new server asks for the same numbers,
 * so that addresses that were printed or exported stay valid.
 */
export function findKeptPorts(published: readonly PublishedPort[], declared: readonly Port[]): KeptPorts {
  // A declared host port was not chosen by the engine.
  const chosen = new Set(declared.filter(({ host }) => host === undefined).map(keyOf))
  return new Map(
    published
      .filter((one) => chosen.has(keyOf(one)) && one.port !== one.container)
      .map((one) => [keyOf(one), one.port] as const),
  )
}

export function applyKeptPorts(ports: ContainerSpec['ports'], kept: KeptPorts): ContainerSpec['ports'] {
  return ports.map((port) => (port.host === undefined ? { ...port, host: kept.get(keyOf(port)) } : port))
}
