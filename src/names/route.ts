import type { Endpoint, NamedServer } from '../model/running.ts'

/** Address or ports of each of the fleet's names, for a program that cannot resolve them. */
export type Routes = Readonly<Record<string, Route>>

export type Route =
  | { readonly address: string }
  /** Published address by real port number. */
  | { readonly ports: Readonly<Record<string, Endpoint>> }

export function toRoutes(servers: readonly NamedServer[]): Routes {
  return Object.fromEntries(
    servers.flatMap((server) => server.names.map((name) => [name.toLowerCase(), toRoute(server)] as const)),
  )
}

function toRoute({ address, endpoints }: NamedServer): Route {
  if (address !== undefined) return { address }
  const ports = Object.entries(endpoints).flatMap(([key, endpoint]) => {
    const [port = '', protocol] = key.split('/')
    return protocol === 'tcp' ? [[port, endpoint] as const] : []
  })
  return { ports: Object.fromEntries(ports) }
}

/**
 * Returns the target of a connection: unchanged for names outside the fleet, undefined for a port that is not
 * published.
 */
export function followRoute(routes: Routes, host: string, port: number): Endpoint | undefined {
  const name = host.toLowerCase().replace(/\.$/, '')
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  if (route === undefined) return { host, port }
  return 'address' in route ? { host: route.address, port } : route.ports[port]
}
