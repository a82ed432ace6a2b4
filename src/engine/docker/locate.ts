import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RemoteEndpoint, TlsFiles } from '../../model/engine-endpoint.ts'
import { TestfleetError } from '../../model/failures.ts'
import { say } from '../../model/surface.ts'
import { describeLocation, formatSocket } from '../dial/dial.ts'
import type { RemoteLocation } from '../engine.ts'
import {
  type DockerHome,
  publicTls,
  readContext,
  readDockerConfig,
  tlsOfContext,
  tlsOfEnvironment,
} from './docker-config.ts'

export interface LocateRequest {
  /** Value of `--engine`: a URL, or `context:NAME`. */
  readonly engine?: string | undefined
  /** What gave that value. Default: `--engine`. */
  readonly because?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly platform: NodeJS.Platform
  readonly uid?: number | undefined
}

/**
 * Finds the engine as the docker command does: `--engine` (its `-H` and `--context`), `DOCKER_HOST`, `DOCKER_CONTEXT`,
 * config.json's currentContext, then the first of the usual sockets that exists. As with the docker command,
 * `DOCKER_HOST` takes precedence over `DOCKER_CONTEXT`, and the context named `default` means `DOCKER_HOST` or the
 * socket. Sends nothing, so a missing engine is noticed by the first request.
 *
 * Fails with ENGINE_CONFIGURATION for an unusable address, context or certificate; the failure names the file.
 */
export async function locateEngine(request: LocateRequest): Promise<RemoteLocation> {
  const { engine, because = say('engine'), environment } = request
  if (engine !== undefined) {
    if (!engine.startsWith('context:')) return locateAddress(engine, because, request)
    return locateContext(engine.slice('context:'.length), because, request)
  }
  if (environment.DOCKER_HOST) return locateDefault(request)
  if (environment.DOCKER_CONTEXT) return locateContext(environment.DOCKER_CONTEXT, 'DOCKER_CONTEXT', request)
  const { currentContext = 'default', file } = await readDockerConfig(request)
  return locateContext(currentContext, file, request)
}

async function locateAddress(text: string, because: string, request: LocateRequest): Promise<RemoteLocation> {
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
    throw new TestfleetError('ENGINE_CONFIGURATION', `${origin} uses http://, but DOCKER_TLS_VERIFY requires TLS`, {
      hint: 'Unset DOCKER_TLS_VERIFY, or use tcp://.',
    })
  }
  return address.scheme === 'http' ? undefined : tls
}

async function locateContext(name: string, origin: string, request: LocateRequest): Promise<RemoteLocation> {
  if (name === 'default') return locateDefault(request)
  const context = await readContext(name, origin, request)
  const because = `context "${name}" of ${origin}`
  const address = parseAddress(context.host ?? formatSocket(defaultSocket(request.platform)), because, request.platform)
  const tls = address.kind === 'socket' || address.scheme === 'http' ? undefined : await tlsOfContext(context)
  return describeLocation(endpointOf(address, tls), because)
}

function locateDefault(request: LocateRequest): Promise<RemoteLocation> {
  const host = request.environment.DOCKER_HOST
  return host ? locateAddress(host, 'DOCKER_HOST', request) : locateSocket(request)
}

async function locateSocket(request: LocateRequest): Promise<RemoteLocation> {
  const sockets = await usualSockets(request)
  const candidates = sockets.map((socket) => formatSocket(socket.path))
  for (const { path, because } of sockets) {
    if (existsSync(path)) return describeLocation({ kind: 'socket', path }, because, candidates)
  }
  return describeLocation({ kind: 'socket', path: defaultSocket(request.platform) }, 'default socket', candidates)
}

type UsualSocket = Pick<RemoteLocation, 'because'> & { readonly path: string }

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

/** Sockets of Colima's profiles; the profile named default comes first. */
async function colimaSockets(home: string): Promise<UsualSocket[]> {
  const profiles = await readdir(join(home, '.colima')).catch(() => [])
  const others = profiles.filter((name) => !name.startsWith('.') && !name.startsWith('_') && name !== 'default').sort()
  return ['default', ...others].map((profile) => ({
    path: join(home, '.colima', profile, 'docker.sock'),
    because: `Colima's socket (profile ${profile})`,
  }))
}

function endpointOf(address: Address, given: TlsFiles | undefined): RemoteEndpoint {
  if (address.kind === 'socket') return address
  const { scheme, host, basePath } = address
  const tls = given ?? (scheme === 'https' ? publicTls : undefined)
  const [plainPort, tlsPort] = scheme === 'tcp' ? [2375, 2376] : [80, 443]
  return { kind: 'tcp', host, port: address.port ?? (tls === undefined ? plainPort : tlsPort), basePath, tls }
}

type Address =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly scheme: 'tcp' | 'http' | 'https'
      readonly host: string
      readonly port: number | undefined
      readonly basePath: string
    }

const schemes = 'unix://, npipe://, tcp://, http:// and https://'

/** Reads an engine's address in the format of `DOCKER_HOST`. `origin` names its source in messages. */
function parseAddress(text: string, origin: string, platform: NodeJS.Platform): Address {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text)
  if (match === null) {
    // The docker command reads a bare host:port as TCP.
    if (/^[\w.-]+:\d{1,5}$/.test(text)) return parseTcp('tcp', text, text, origin)
    throw misconfigured(
      text,
      origin,
      `it has no scheme; supported are ${schemes}${text.startsWith('/') ? `. Do you mean unix://${text}?` : ''}`,
    )
  }
  const scheme = (match[1] ?? '').toLowerCase()
  const rest = match[2] ?? ''
  switch (scheme) {
    case 'unix':
      return { kind: 'socket', path: rest === '' ? defaultSocket(platform) : rest }
    case 'npipe':
      return { kind: 'socket', path: (rest === '' ? windowsPipe : rest).replaceAll('/', '\\') }
    case 'tcp':
    case 'http':
    case 'https':
      return parseTcp(scheme, rest, text, origin)
    case 'ssh':
      throw misconfigured(text, origin, 'SSH is not supported', sshHint)
    default:
      throw misconfigured(text, origin, `${scheme}:// is not supported; supported are ${schemes}`)
  }
}

const sshHint =
  'Forward its socket (ssh -N -L /tmp/engine.sock:/var/run/docker.sock HOST) and use unix:///tmp/engine.sock; ' +
  'published ports are then ports of the remote host.'

const windowsPipe = '//./pipe/docker_engine'

function defaultSocket(platform: NodeJS.Platform): string {
  return platform === 'win32' ? windowsPipe.replaceAll('/', '\\') : '/var/run/docker.sock'
}

function parseTcp(scheme: 'tcp' | 'http' | 'https', rest: string, text: string, origin: string): Address {
  const match = /^(\[[0-9a-f:.%]+\]|[\w.-]*)(?::(\d{1,5}))?(\/[\w.~/-]*)?$/i.exec(rest)
  if (match === null) throw misconfigured(text, origin, `it is not ${scheme}://HOST:PORT`)
  const port = match[2] === undefined ? undefined : Number(match[2])
  if (port !== undefined && (port < 1 || port > 65_535)) throw misconfigured(text, origin, `${port} is not a port`)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return {
    kind: 'tcp',
    scheme,
    host: host === '' ? '127.0.0.1' : host,
    port,
    basePath: (match[3] ?? '').replace(/\/+$/, ''),
  }
}

function misconfigured(text: string, origin: string, why: string, hint?: string): TestfleetError {
  // Messages must not show a password.
  const shown = text.replace(/\/\/[^/@]*@/, '//…@')
  return new TestfleetError('ENGINE_CONFIGURATION', `${origin} names the engine "${shown}": ${why}`, { hint })
}
