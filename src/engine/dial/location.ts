import type { EngineEndpoint } from '../../model/engine-endpoint.ts'
import type { EngineLocation } from '../engine.ts'

/**
 * Describes where an engine is. `because` says what named the endpoint; `candidates` are the URLs that were looked at
 * in search of it.
 */
export function describeLocation(
  endpoint: EngineEndpoint,
  because: string,
  candidates?: readonly string[],
): EngineLocation {
  const remoteHost = endpoint.kind === 'socket' || isLoopback(endpoint.host) ? undefined : endpoint.host
  return { url: formatEndpoint(endpoint), because, remoteHost, endpoint, ...(candidates && { candidates }) }
}

export function formatSocket(path: string): string {
  return path.startsWith('\\\\') ? `npipe://${path.replaceAll('\\', '/')}` : `unix://${path}`
}

function formatEndpoint(endpoint: EngineEndpoint): string {
  if (endpoint.kind === 'socket') return formatSocket(endpoint.path)
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `${endpoint.tls === undefined ? 'tcp' : 'https'}://${host}:${endpoint.port}${endpoint.basePath}`
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host)
}
