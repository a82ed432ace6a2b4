import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineEndpoint, TlsFiles } from '../../model/engine-endpoint.ts'
import { TestfleetError } from '../../model/failures.ts'
import { describeLocation, formatSocket } from '../dial/dial.ts'
import type { EngineLocation } from '../engine.ts'
import {
  type DockerHome,
  publicTls,
  readContext,
  readDockerConfig,
  tlsOfContext,
  tlsOfEnvironment,
} from './docker-config.ts'
import { type Address, defaultSocket, parseAddress } from './parse-address.ts'

export interface LocateRequest {
  /** The value of `--engine`: a URL, or `context:NAME`. */
  readonly engine?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly platform: NodeJS.Platform
  readonly uid?: number | undefined
}

/**
 * Finds the engine as the docker command does: `--engine` (its `-H` and `--context`), `DOCKER_HOST`, `DOCKER_CONTEXT`,
 * config.json's currentContext, then the first of the usual sockets that exists. As with the docker command,
 * `DOCKER_HOST` beats `DOCKER_CONTEXT`, and the context named `default` means `DOCKER_HOST` or the socket. Sends
 * nothing: the first verb notices an engine that is not there.
 *
 * @throws ENGINE_CONFIGURATION for an address, a context, a config.json or a certificate that cannot be used; it names the file.
 */
export async function locateEngine(request: LocateRequest): Promise<EngineLocation> {
  const { engine, environment } = request
  if (engine !== undefined) {
    if (!engine.startsWith('context:')) return locateAddress(engine, '--engine', request)
    return locateContext(engine.slice('context:'.length), '--engine', request)
  }
  if (environment.DOCKER_HOST) return locateAddress(environment.DOCKER_HOST, 'DOCKER_HOST', request)
  if (environment.DOCKER_CONTEXT) return locateContext(environment.DOCKER_CONTEXT, 'DOCKER_CONTEXT', request)
  const config = await readDockerConfig(request)
  if (config.currentContext !== undefined) return locateContext(config.currentContext, config.file, request)
  return locateSocket(request)
}

async function locateAddress(text: string, because: string, request: LocateRequest): Promise<EngineLocation> {
  const address = parseAddress(text, because, request.platform)
  const tls = address.kind === 'socket' ? undefined : await tlsOfAddress(address, because, request)
  return describeLocation(endpointOf(address, tls), because)
}

async function tlsOfAddress(
  address: Address & { kind: 'tcp' },
  origin: string,
  where: DockerHome,
): Promise<TlsFiles | undefined> {
  const tls = await tlsOfEnvironment(where)
  if (address.scheme === 'http' && tls?.isVerified) {
    throw new TestfleetError('ENGINE_CONFIGURATION', `${origin} says http://, but DOCKER_TLS_VERIFY asks for TLS`, {
      hint: 'Unset DOCKER_TLS_VERIFY, or use tcp://.',
    })
  }
  if (address.scheme === 'http') return undefined
  return tls ?? (address.scheme === 'https' ? publicTls : undefined)
}

async function locateContext(name: string, origin: string, request: LocateRequest): Promise<EngineLocation> {
  if (name === 'default') return locateDefault(request)
  const context = await readContext(name, origin, request)
  const because = `context "${name}" of ${origin}`
  const address = parseAddress(context.host ?? formatSocket(defaultSocket(request.platform)), because, request.platform)
  if (address.kind === 'socket') return describeLocation(endpointOf(address, undefined), because)
  const tls = address.scheme === 'http' ? undefined : await tlsOfContext(context)
  return describeLocation(endpointOf(address, tls ?? (address.scheme === 'https' ? publicTls : undefined)), because)
}

function locateDefault(request: LocateRequest): Promise<EngineLocation> {
  const host = request.environment.DOCKER_HOST
  return host ? locateAddress(host, 'DOCKER_HOST', request) : locateSocket(request)
}

async function locateSocket(request: LocateRequest): Promise<EngineLocation> {
  const sockets = await usualSockets(request)
  const candidates = sockets.map((socket) => formatSocket(socket.path))
  for (const { path, because } of sockets) {
    if (existsSync(path)) return describeLocation({ kind: 'socket', path }, because, candidates)
  }
  return describeLocation({ kind: 'socket', path: defaultSocket(request.platform) }, 'default socket', candidates)
}

type UsualSocket = Pick<EngineLocation, 'because'> & { readonly path: string }

async function usualSockets({ home, environment, platform, uid }: LocateRequest): Promise<UsualSocket[]> {
  const first = { path: defaultSocket(platform), because: 'default socket' }
  if (platform === 'win32') return [first, { path: '\\\\.\\pipe\\podman-machine-default', because: "Podman's pipe" }]
  const runtime = environment.XDG_RUNTIME_DIR || (uid === undefined ? undefined : `/run/user/${uid}`)
  return [
    first,
    ...(runtime ? [{ path: join(runtime, 'docker.sock'), because: 'rootless socket' }] : []),
    { path: join(home, '.docker/run/docker.sock'), because: "Docker Desktop's socket" },
    { path: join(home, '.docker/desktop/docker.sock'), because: "Docker Desktop's socket" },
    ...(await colimaSockets(home)),
    { path: join(home, '.orbstack/run/docker.sock'), because: "OrbStack's socket" },
    { path: join(home, '.rd/docker.sock'), because: "Rancher Desktop's socket" },
    ...(runtime ? [{ path: join(runtime, 'podman/podman.sock'), because: "Podman's rootless socket" }] : []),
    { path: '/run/podman/podman.sock', because: "Podman's socket" },
  ]
}

/** Colima has a socket for each profile; the one named default comes first. */
async function colimaSockets(home: string): Promise<UsualSocket[]> {
  const profiles = await readdir(join(home, '.colima')).catch(() => [])
  const others = profiles.filter((name) => !name.startsWith('.') && !name.startsWith('_') && name !== 'default').sort()
  return ['default', ...others].map((profile) => ({
    path: join(home, '.colima', profile, 'docker.sock'),
    because: `Colima's socket (profile ${profile})`,
  }))
}

function endpointOf(address: Address, tls: TlsFiles | undefined): EngineEndpoint {
  if (address.kind === 'socket') return address
  const { host, basePath } = address
  const standardPort = address.scheme === 'tcp' ? (tls === undefined ? 2375 : 2376) : tls === undefined ? 80 : 443
  return { kind: 'tcp', host, port: address.port ?? standardPort, basePath, tls }
}
