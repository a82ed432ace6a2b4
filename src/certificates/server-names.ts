import type { Server } from '../model/fleet.ts'

/** All the names and addresses by which a server is reached that can be known before it runs. */
export function serverNames(server: Server, engineHost: string | undefined): string[] {
  const addresses = server.ports.flatMap(({ address }) => (address === undefined ? [] : [address]))
  const names = [
    server.hostname,
    server.name,
    ...server.aliases,
    'localhost',
    ...(server.tls?.names ?? []),
    '127.0.0.1',
    '::1',
    ...addresses.filter((address) => address !== '0.0.0.0' && address !== '::'),
    ...(engineHost === undefined ? [] : [engineHost]),
  ]
  return [...new Set(names)]
}
