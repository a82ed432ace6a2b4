import type { ContainerSpec, PublishedPort } from '../model/container.ts'
import type { Port } from '../model/fleet.ts'

/** Ports of this machine by `<port>/<protocol>` of a container. */
export type KeptPorts = ReadonlyMap<string, number>

const keyOf = ({ container, protocol }: Pick<Port, 'container' | 'protocol'>): string => `${container}/${protocol}`

/**
 * The ports that the engine chose for a server that is replaced. The new server asks for the same numbers, so that
 * addresses that were printed or exported stay right.
 */
export function findKeptPorts(published: readonly PublishedPort[], declared: readonly Port[]): KeptPorts {
  // One with a number of its own was asked for, by the fleet file or by `--bind fixed`.
  const chosen = new Set(declared.filter(({ host }) => host === undefined).map(keyOf))
  return new Map(
    published
      .filter((one) => chosen.has(keyOf(one)) && one.port !== one.container)
      .map((one) => [keyOf(one), one.port] as const),
  )
}

export function keepPorts(ports: ContainerSpec['ports'], kept: KeptPorts): ContainerSpec['ports'] {
  return ports.map((port) => (port.host === undefined ? { ...port, host: kept.get(keyOf(port)) } : port))
}
