import { readFile } from 'node:fs/promises'
import type { Agent, RequestOptions } from 'node:http'
import { createRequire } from 'node:module'
import type { EngineEndpoint, RemoteEndpoint, TlsFiles } from '../../model/engine-endpoint.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { EngineLocation } from '../engine.ts'

/**
 * Loads node:http by `require`. An `import` would evaluate every export of the module, and one of them loads all of
 * fetch and WebSocket: 60 to 80 ms on Node 24.
 */
const load = createRequire(import.meta.url)
const http = load('node:http') as typeof import('node:http')

/** Transport of HTTP requests to one engine. */
export interface Dialer {
  readonly request: typeof http.request
  /** Keeps idle connections. A request with `agent: false` gets a connection of its own. */
  readonly agent: Agent
  /** Options that every request needs in order to connect. */
  readonly options: RequestOptions
  /** Precedes the path of every request. */
  readonly basePath: string
}

/** The delay applies to the first keep-alive probe: a proxy may drop a silent connection. */
const keepAlive = { keepAlive: true, keepAliveInitialDelay: 30_000, maxFreeSockets: 32, scheduling: 'lifo' } as const

/** Prepares connections to an endpoint without connecting yet. Another kind of endpoint is another file here. */
export async function openDialer(endpoint: RemoteEndpoint): Promise<Dialer> {
  if (endpoint.kind === 'socket') return dialSocket(endpoint.path)
  const { host, port, basePath, tls } = endpoint
  if (tls === undefined) return { ...plainHttp(), options: { host, port }, basePath }
  const options = { host, port, ...(await readTls(tls)) }
  // Loaded on demand: node:https costs several milliseconds, and most engines have a socket.
  const https = load('node:https') as typeof import('node:https')
  return { request: https.request, agent: new https.Agent({ ...keepAlive, ...options }), options, basePath }
}

/** Connects to a Unix socket, or to a named pipe of Windows. */
function dialSocket(path: string): Dialer {
  // The Host header is the docker command's: newer engines refuse one that is a path. The server name is empty because
  // Node 24 would derive one with a regular expression whose first use takes longer than the request.
  const options = { socketPath: path, servername: '', headers: { host: 'localhost' } }
  return { ...plainHttp(), options, basePath: '' }
}

function plainHttp(): Pick<Dialer, 'request' | 'agent'> {
  return { request: http.request, agent: new http.Agent(keepAlive) }
}

/** Reads the TLS files. Fails with ENGINE_CONFIGURATION, which names an unreadable file. */
async function readTls(files: TlsFiles) {
  const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map(readPem))
  return { ca, cert, key, rejectUnauthorized: files.isVerified }
}

async function readPem(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined
  return readFile(file).catch((error: Error) => {
    throw new TestfleetError('ENGINE_CONFIGURATION', `${file} cannot be read: ${error.message}`, { cause: error })
  })
}

/**
 * Describes the location of an engine. `because` names the source of the endpoint; `candidates` are the URLs that were
 * searched.
 */
export function describeLocation<Endpoint extends EngineEndpoint>(
  endpoint: Endpoint,
  because: string,
  candidates?: readonly string[],
): EngineLocation & { readonly endpoint: Endpoint } {
  const remoteHost = endpoint.kind !== 'tcp' || isLoopback(endpoint.host) ? undefined : endpoint.host
  return { url: formatEndpoint(endpoint), because, remoteHost, endpoint, ...(candidates && { candidates }) }
}

export function formatSocket(path: string): string {
  return path.startsWith('\\\\') ? `npipe://${path.replaceAll('\\', '/')}` : `unix://${path}`
}

function formatEndpoint(endpoint: EngineEndpoint): string {
  if (endpoint.kind === 'local') return `local:${endpoint.folder}`
  if (endpoint.kind === 'socket') return formatSocket(endpoint.path)
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `${endpoint.tls === undefined ? 'tcp' : 'https'}://${host}:${endpoint.port}${endpoint.basePath}`
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host)
}
