import { createHash } from 'node:crypto'
import type { EngineLocation } from '../engine/engine.ts'
import { type AuthorityRecord, TLS_FOLDER } from '../model/certificate.ts'
import { type ContainerMount, type ContainerSpec, plainContainer } from '../model/container.ts'
import { referenceOf } from '../model/desired-image.ts'
import { TestfleetError } from '../model/failures.ts'
import {
  type ExternalRun,
  type Fleet,
  type Port,
  type ProcessRun,
  SECRETS_FOLDER,
  type Server,
} from '../model/fleet.ts'
import { formatPreStop } from '../model/hook.ts'
import { type Labels, label } from '../model/labels.ts'
import type { Lending } from '../model/lending.ts'
import type { DesiredServer, PreparedImage } from '../model/plan.ts'
import { aliasesOf } from '../model/server-names.ts'
import type { ServerSpec } from '../model/session.ts'

/** Longest hostname that Linux accepts (sethostname(2)). */
const MAX_HOSTNAME_LENGTH = 64

export interface SessionSettings {
  /** Name of the session, which is part of object names on the engine. */
  readonly session: string
  readonly sessionId: string
  /** Id of the change that creates the objects; empty when nothing is created. */
  readonly change: string
  readonly owner: string
  /** Existing network and volumes of the session. Their names may contain an earlier name of the session. */
  readonly network: string | undefined
  readonly volumes: ReadonlyMap<string, string>
  /** `fixed` publishes every port at the same number of this machine. */
  readonly bind: 'free' | 'fixed'
  /** Address at which ports listen when the fleet file does not set one. */
  readonly defaultAddress: string
  /** Name or address of the engine's machine; undefined for this machine. */
  readonly engineHost: string | undefined
  /** Path of the engine's socket on the engine's machine; undefined for an engine that is not reached by a socket. */
  readonly engineSocket: string | undefined
  /** The fleet's certificate authority; undefined without certificates. */
  readonly authority: AuthorityRecord | undefined
}

/**
 * Describes the desired state of one server. The digest covers everything that its container is made from, except the
 * session's own names.
 */
export function desireServer(
  server: Server,
  fleet: Fleet,
  image: PreparedImage,
  settings: SessionSettings,
  mountDigests: ServerSpec['mountDigests'] = {},
): DesiredServer {
  if (server.runs.kind === 'external') return desireExternal(server, server.runs, settings)
  const unnamed = { ...settings, session: '', sessionId: '', change: '', owner: '', network: '', volumes: new Map() }
  const subject = [
    describeContainer(server, fleet, referenceOf(image.desired), unnamed, ''),
    [...server.secrets],
    settings.authority !== undefined,
    ...(server.tls === undefined ? [] : [[server.tls, settings.engineHost]]),
    // Left out where there are none, so that the digest of a server without them is what it always was.
    ...(server.preStart.length + server.postStart.length === 0 ? [] : [[server.preStart, server.postStart]]),
  ]
  const digest = createHash('sha256')
    .update(JSON.stringify([subject, image.identity]))
    .digest('hex')
    .slice(0, 32)
  const isContainer = server.runs.kind === 'container'
  const needsFiles = isContainer && (server.secrets.size > 0 || settings.authority !== undefined)
  const spec = toSpec(server, settings.authority)
  const given = Object.keys(mountDigests).length === 0 ? spec : { ...spec, mountDigests }
  return { server, image: image.desired, digest, spec: given, needsFiles }
}

/** An external server is another one when its URL is, except for the password, or the ports that it stands for. */
function desireExternal(server: Server, { url, addresses }: ExternalRun, settings: SessionSettings): DesiredServer {
  const digest = createHash('sha256')
    .update(JSON.stringify(['external', url, addresses]))
    .digest('hex')
    .slice(0, 32)
  const spec = { ...toSpec(server, settings.authority), external: { url, addresses, digest } }
  return { server, image: { kind: 'none' }, digest, spec, needsFiles: false }
}

/** Returns the server's part of the session's record. */
function toSpec(server: Server, authority: AuthorityRecord | undefined): ServerSpec {
  return {
    hostname: server.hostname,
    aliases: aliasesOf(server),
    dependsOn: server.dependsOn,
    ports: server.ports,
    ready: server.ready,
    readyTimeoutMs: server.readyTimeoutMs,
    export: Object.fromEntries(server.export),
    execEnvironment: server.execEnvironment.size === 0 ? undefined : Object.fromEntries(server.execEnvironment),
    lending: isPlainlyLent(server.lending) ? undefined : server.lending,
    secrets: [...server.secrets.keys()],
    authority,
  }
}

function isPlainlyLent({ isolation, pool, reset, postStart, database }: Lending): boolean {
  const isSet = [pool, reset, postStart, database].some((one) => one !== undefined)
  return isolation === 'container' && !isSet
}

/** Describes the container of a server, without the secrets in its environment. */
export function describeContainer(
  server: Server,
  fleet: Fleet,
  image: string,
  settings: SessionSettings,
  digest: string,
): ContainerSpec {
  const labels = resourceLabels(fleet.name, settings)
  if (server.runs.kind === 'external') return describeExternalServer(server, server.runs, labels)
  if (server.runs.kind === 'process') return describeProcess(server, server.runs, labels, settings, digest)
  return {
    // The change's id makes the name unique among sessions, and among successors of the same server.
    name: `${settings.session}-${server.name}-${settings.change}`,
    image,
    platform: server.platform,
    hostname: server.ownHostname ?? (server.hostname.length <= MAX_HOSTNAME_LENGTH ? server.hostname : server.name),
    command: server.command,
    entrypoint: server.entrypoint,
    user: server.user,
    workingDir: server.workingDir,
    // Omitted when empty, so that the digest of a server without them stays as it was.
    dns: server.dns.length > 0 ? server.dns : undefined,
    devices: server.devices.length > 0 ? server.devices : undefined,
    tty: server.tty || undefined,
    restarts: server.restarts || undefined,
    environment: { ...trustEnvironment(server, settings), ...plainEnvironment(server) },
    labels: {
      ...Object.fromEntries(server.labels),
      ...labels,
      [label.server]: server.name,
      [label.digest]: digest,
      ...(server.stopSignal === undefined ? {} : { [label.stopSignal]: server.stopSignal }),
      ...(server.stopGraceMs === undefined ? {} : { [label.stopGrace]: String(server.stopGraceMs) }),
      ...(server.preStop.length === 0 ? {} : { [label.preStop]: formatPreStop(server.preStop, settings.change) }),
    },
    init: server.init,
    stopSignal: server.stopSignal,
    stopGraceMs: server.stopGraceMs,
    ports: server.ports.map((port) => bindPort(port, settings)),
    network: {
      name: networkName(settings),
      aliases: [...new Set([server.name, server.hostname, ...aliasesOf(server)])],
    },
    extraHosts: Object.fromEntries(server.extraHosts),
    mounts: describeMounts(server, settings, labels),
    tmpfs: server.tmpfs,
    readOnly: server.readOnly,
    limits: server.limits,
    capAdd: server.capAdd,
    capDrop: server.capDrop,
    privileged: server.unsafe.privileged,
    newPrivileges: server.unsafe.newPrivileges,
    sysctls: Object.fromEntries(server.sysctls),
    ulimits: Object.fromEntries(server.ulimits),
  }
}

/** Its variables, besides its own, are known only when it starts. */
function describeProcess(
  server: Server,
  { command, folder }: ProcessRun,
  labels: Labels,
  { session, change }: SessionSettings,
  digest: string,
): ContainerSpec {
  const { name, hostname, stopSignal = 'SIGTERM', stopGraceMs, restarts } = server
  const listens = { address: '127.0.0.1' } as const
  return {
    ...plainContainer,
    ...{ name: `${session}-${name}-${change}`, image: '', hostname, network: { name: '', aliases: [] } },
    ...{ stopSignal, stopGraceMs, restarts: restarts || undefined, process: { command, folder } },
    environment: plainEnvironment(server),
    // It has time to stop by default: what it does on this machine is not thrown away with it.
    labels: {
      ...labels,
      ...{ [label.server]: name, [label.digest]: digest, [label.stopSignal]: stopSignal },
      ...(stopGraceMs === undefined ? {} : { [label.stopGrace]: String(stopGraceMs) }),
      ...(server.preStop.length === 0 ? {} : { [label.preStop]: formatPreStop(server.preStop, change) }),
    },
    ports: server.ports.map((port) => ({ ...port, host: port.container, ...listens })),
  }
}

function describeExternalServer(server: Server, { addresses }: ExternalRun, labels: Labels): ContainerSpec {
  const { name, hostname } = server
  const network = { name: '', aliases: [] }
  return {
    ...plainContainer,
    ...{ name, hostname, network, image: '', labels: { ...labels, [label.server]: name } },
    external: addresses,
  }
}

/** Labels of everything that a change creates for a session. */
export function resourceLabels(
  fleet: string,
  { sessionId, change, owner }: Pick<SessionSettings, 'sessionId' | 'change' | 'owner'>,
): Record<string, string> {
  return { [label.session]: sessionId, [label.fleet]: fleet, [label.owner]: owner, [label.change]: change }
}

export function networkName({ session, sessionId, network }: SessionSettings): string {
  return network ?? `${session}-${sessionId}`
}

export function volumeName(volume: string, { session, sessionId, volumes }: SessionSettings): string {
  return volumes.get(volume) ?? `${session}-${volume}-${sessionId}`
}

function plainEnvironment(server: Server): Record<string, string> {
  const entries = [...server.environment].map(
    ([name, value]) => [name, value.kind === 'text' ? value.text : ''] as const,
  )
  return Object.fromEntries(entries)
}

function bindPort(port: Port, settings: SessionSettings): ContainerSpec['ports'][number] {
  return {
    container: port.container,
    protocol: port.protocol,
    host: port.host ?? (settings.bind === 'fixed' ? port.container : undefined),
    address: port.address ?? settings.defaultAddress,
  }
}

function describeMounts(server: Server, settings: SessionSettings, labels: Record<string, string>): ContainerMount[] {
  const { engineSocket, authority } = settings
  const mounts = server.mounts.map((mount): ContainerMount => {
    if (mount.kind === 'volume') return { ...mount, volume: volumeName(mount.volume, settings) }
    const { kind, from, to, writable } = mount
    return { kind, from, to, writable }
  })
  if (server.unsafe.engineSocket && engineSocket !== undefined)
    mounts.push({ kind: 'bind', from: engineSocket, to: ENGINE_SOCKET, writable: true })
  // Read-only volumes need a name (20.10). The files in it are readable by all and writable by root only.
  if (server.secrets.size > 0) mounts.push({ kind: 'ownVolume', to: SECRETS_FOLDER, writable: true, labels })
  if (authority !== undefined) mounts.push({ kind: 'ownVolume', to: TLS_FOLDER, writable: true, labels })
  return mounts
}

/**
 * Makes Node trust the fleet's authority, because it has its own list; on a read-only root, also points other clients
 * at the bundle in its volume. Variables of the fleet file take precedence.
 */
function trustEnvironment(server: Server, { authority }: SessionSettings): Record<string, string> {
  if (authority === undefined) return {}
  const node = { NODE_EXTRA_CA_CERTS: tlsFiles.authority }
  if (!server.readOnly) return node
  const { bundle } = tlsFiles
  return { ...node, SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: bundle, REQUESTS_CA_BUNDLE: bundle }
}

/** Paths of certificate files in a container. `bundle` also has the authorities that the image trusts. */
export const tlsFiles = {
  key: `${TLS_FOLDER}/key.pem`,
  chain: `${TLS_FOLDER}/cert.pem`,
  intermediate: `${TLS_FOLDER}/intermediate.pem`,
  authority: `${TLS_FOLDER}/ca.pem`,
  revocationList: `${TLS_FOLDER}/crl.pem`,
  bundle: `${TLS_FOLDER}/bundle.pem`,
} as const

/** Standard path of the socket, where docker clients look for it. */
const ENGINE_SOCKET = '/var/run/docker.sock'

/**
 * Returns the path of the engine's socket on the engine's machine; undefined for an engine that is not reached by a
 * socket.
 */
export function findEngineSocket({ endpoint }: EngineLocation, platform: NodeJS.Platform): string | undefined {
  if (endpoint.kind !== 'socket' || platform === 'win32') return undefined
  // On other systems the engine runs in a virtual machine with a file system of its own.
  return platform === 'linux' ? endpoint.path : '/var/run/docker.sock'
}

/** Fails with ENGINE_CONFIGURATION when a server asks for the engine's socket and there is none. */
export function refuseEngineSocket(servers: readonly Server[], fleet: Fleet, location: EngineLocation): void {
  const server = servers.find(({ unsafe }) => unsafe.engineSocket)
  if (server === undefined) return
  const why =
    location.endpoint.kind === 'local' ? 'the local engine has none' : `the engine is reached at ${location.url}`
  throw new TestfleetError('ENGINE_CONFIGURATION', `${server.name} asks for the engine's socket, but ${why}`, {
    server: server.name,
    at: fleet.source.locate(['servers', server.name, 'unsafe', 'engineSocket']),
    hint: 'Use an engine that is reached by a unix socket, or remove `unsafe: { engineSocket: true }`.',
  })
}
