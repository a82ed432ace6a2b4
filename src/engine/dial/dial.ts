import type { Agent, AgentOptions, RequestOptions } from 'node:http'
import { createRequire } from 'node:module'
import type { EngineEndpoint } from '../../model/engine-endpoint.ts'

/**
 * Loads node:http by `require`. An `import` would evaluate every export of the module, and one of them loads all of
 * fetch and WebSocket: 60 to 80 ms on Node 24.
 */
const http = createRequire(import.meta.url)('node:http') as typeof import('node:http')

/** How HTTP requests reach one engine. */
export interface Dialer {
  readonly request: typeof http.request
  /** Keeps idle connections. A request with `agent: false` gets a connection of its own. */
  readonly agent: Agent
  /** Options that every request needs in order to connect. */
  readonly options: RequestOptions
  /** Precedes the path of every request. */
  readonly basePath: string
}

/** The delay is that of the first keep-alive probe: a proxy may forget a connection that is silent for long. */
const keepAlive = { keepAlive: true, keepAliveInitialDelay: 30_000, maxFreeSockets: 32, scheduling: 'lifo' } as const

/** Prepares connections to an endpoint, and connects to nothing yet. A further kind of endpoint is a further file here. */
export async function openDialer(endpoint: EngineEndpoint): Promise<Dialer> {
  if (endpoint.kind === 'socket') return dialSocket(endpoint.path)
  const { host, port, basePath, tls } = endpoint
  if (tls === undefined) return { ...plainHttp(), options: { host, port }, basePath }
  // Loaded on demand: node:https costs several milliseconds, and most engines have a socket.
  const secure = await (await import('./tls.ts')).openTls(tls, keepAlive)
  return { ...secure, options: { host, port, ...secure.options }, basePath }
}

/** A Unix socket, or a named pipe of Windows. */
function dialSocket(path: string): Dialer {
  // The Host header is the docker command's: newer engines refuse one that is a path. The server name is empty because
  // Node 24 would derive one with a regular expression whose first use takes longer than the request.
  const options = { socketPath: path, servername: '', headers: { host: 'localhost' } }
  return { ...plainHttp(), options, basePath: '' }
}

function plainHttp(): Pick<Dialer, 'request' | 'agent'> {
  return { request: http.request, agent: new http.Agent(keepAlive satisfies AgentOptions) }
}
