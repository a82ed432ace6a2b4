import { networkInterfaces } from 'node:os'
import type { ContainerNetwork, ContainerSummary, PublishedPort } from '../../model/container.ts'
import type { Port } from '../../model/fleet.ts'
import type { ServerAddresses } from '../runtime.ts'

/** Says how a container is reached. `engineHost` is the name of the engine's machine; undefined when it is this one. */
export function reachContainer(
  container: Pick<ContainerSummary, 'networks' | 'published'>,
  ports: readonly Port[],
  engineHost: string | undefined,
): ServerAddresses {
  const network = container.networks[0]
  const endpoints = new Map(
    ports.flatMap((port) => {
      const published = findPublished(container.published, port)
      return published === undefined
        ? []
        : [[endpointKey(port), { host: reachableHost(published.address, engineHost), port: published.port }] as const]
    }),
  )
  const reachableIp = engineHost === undefined ? findReachableIp(network) : undefined
  return {
    isRemote: engineHost !== undefined,
    ip: network?.ip ?? '',
    reachableIp,
    endpoints,
    published: (port, protocol = 'tcp') => endpoints.get(`${port}/${protocol}`),
    direct: (port) => (reachableIp === undefined ? undefined : { host: reachableIp, port }),
  }
}

function findReachableIp(network: ContainerNetwork | undefined): string | undefined {
  if (network === undefined || network.ip === '') return undefined
  return isBridgeOfThisMachine(network.networkId, network.gateway) ? network.ip : undefined
}

function endpointKey(port: { readonly container: number; readonly protocol: string }): string {
  return `${port.container}/${port.protocol}`
}

function findPublished(published: readonly PublishedPort[], port: Port): PublishedPort | undefined {
  return published.find((one) => one.container === port.container && one.protocol === port.protocol)
}

/** An engine that listens everywhere listens here too, or on its own machine. */
function reachableHost(address: string, engineHost: string | undefined): string {
  const isEverywhere = address === '' || address === '0.0.0.0' || address === '::'
  if (isEverywhere) return engineHost ?? '127.0.0.1'
  return address
}

/**
 * Whether this machine has the very bridge of that network: Docker names it after the network's id and gives it the
 * gateway's address. A network of a rootless or remote engine, or in a virtual machine, may have the same addresses and
 * is not there: a packet to it would leave this machine.
 */
function isBridgeOfThisMachine(networkId: string, gateway: string): boolean {
  const addresses = networkInterfaces()[`br-${networkId.slice(0, 12)}`] ?? []
  return addresses.some(({ address }) => address === gateway)
}
