import type { Protocol } from '../formats/port-range.ts'
import { checksOverUdp, schemesOfChecks, schemesOfPorts } from '../formats/url-schemes.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import type { Endpoint } from '../model/running.ts'

/**
 * Returns the URL of a port, without a user, a password or a path. Its scheme is that of the ready check of the port, or
 * else the usual one of the port's number, or else the transport protocol, such as `tcp`.
 *
 * @param key `<port>/<protocol>` of the server, such as `5432/tcp`.
 */
export function toUrl({ host, port }: Endpoint, key: string, checks: readonly ReadyCheck[]): string {
  const [number, protocol] = splitKey(key)
  const scheme =
    checks.map((check) => schemeOf(check, number, protocol)).find(Boolean) ?? schemesOfPorts[key] ?? protocol
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

export function splitKey(key: string): [port: number, protocol: Protocol] {
  const [port, protocol = 'tcp'] = key.split('/')
  return [Number(port), protocol as Protocol]
}

function schemeOf(check: ReadyCheck, port: number, protocol: Protocol): string | undefined {
  if (!('port' in check) || check.port !== port) return undefined
  const isUdp = checksOverUdp.has(check.kind)
  if (check.kind !== 'dns' && isUdp !== (protocol === 'udp')) return undefined
  const [plain, secure] = schemesOfChecks[check.kind] ?? []
  return 'tls' in check && check.tls === true ? secure : plain
}
