import type { ServerReport } from '../model/running.ts'

/** Finds an endpoint by port number. Without a protocol, tcp takes precedence. */
export function findEndpoint(
  server: Pick<ServerReport, 'endpoints'>,
  port: number,
  protocol: string | undefined,
): { host: string; port: number } | undefined {
  if (protocol !== undefined) return server.endpoints[`${port}/${protocol}`]
  return server.endpoints[`${port}/tcp`] ?? server.endpoints[`${port}/udp`] ?? server.endpoints[`${port}/sctp`]
}
