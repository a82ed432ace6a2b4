import type { Endpoint, NamedServer } from '../model/running.ts'

/** Where each of the fleet's names leads, for a program that has no other way to know: an address, or a port each. */
export type Routes = Readonly<Record<string, Route>>

export type Route =
  | { readonly address: string }
  /** By the port's real number. */
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

/** Where a connection goes; a name that is not the fleet's is itself, undefined is a port that leads nowhere. */
export function followRoute(routes: Routes, host: string, port: number): Endpoint | undefined {
  const name = host.toLowerCase().replace(/\.$/, '')
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  if (route === undefined) return { host, port }
  return 'address' in route ? { host: route.address, port } : route.ports[port]
}
