import { resolve } from 'node:path'
import { readDurationMs } from '../formats/duration.ts'
import { readSizeBytes } from '../formats/size.ts'
import type { CertificateKind, OwnCertificateFile, ServerTls } from '../model/certificate.ts'
import type { FieldPath, HttpCheck, Mount, ReadyCheck, SecretOrigin, Server, Tmpfs } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import { type ProtocolCheck, type ProtocolName, protocolNames } from '../model/protocols.ts'
import type { External } from './read-externals.ts'
import { resolveBake } from './resolve-bake.ts'
import { resolveContainer } from './resolve-container.ts'
import { resolveHooks } from './resolve-hooks.ts'
import { mapValues, type ResolveContext, readMode, toTextMap } from './resolve-image.ts'
import { resolveLending } from './resolve-lending.ts'
import { defaultReadyChecks, resolvePorts } from './resolve-ports.ts'
import { resolveRun } from './resolve-run.ts'
import { resolveEnvironment, resolveExecEnvironment } from './resolve-values.ts'

const DEFAULT_READY_TIMEOUT_MS = 60_000
/** Upper limit of processes: a server that creates them endlessly stops here, and its machine keeps running. */
export const DEFAULT_PIDS = 4096

/** Resolves one server of a valid file, with every default applied. */
export function resolveServer(name: string, declaration: ServerDeclaration, context: ResolveContext): Server {
  const at: FieldPath = ['servers', name]
  const execEnvironment = resolveExecEnvironment(declaration, [...at, 'execEnvironment'], context)
  const hooks = resolveHooks(declaration, execEnvironment, at, context)
  const runs = resolveRun(name, declaration, context)
  return {
    name,
    hostname: hostnameOf(name, context),
    runs,
    options: context.options.get(name) ?? {},
    command: declaration.command,
    entrypoint: declaration.entrypoint,
    user: declaration.user === undefined ? undefined : String(declaration.user),
    workingDir: declaration.workingDir,
    ...resolveContainer(declaration),
    environment: resolveEnvironment(declaration, [...at, 'environment'], context),
    execEnvironment,
    labels: toTextMap(declaration.labels),
    init: declaration.init ?? false,
    stopSignal: declaration.stopSignal,
    stopGraceMs: readDurationMs(declaration.stopGracePeriod),
    bake: resolveBake(name, declaration, execEnvironment, context),
    ...hooks,
    lending: resolveLending(declaration, hooks.postStart, at, context),
    platform: declaration.platform,
    secrets: resolveSecrets(declaration, context.surroundings.folder, context.externals.get(name)),
    tls: resolveTls(declaration.tls, context.surroundings.folder),
    ...resolvePorts(declaration.ports ?? [], [...at, 'ports'], context.report),
    aliases: declaration.aliases ?? [],
    publicNames: declaration.publicNames ?? false,
    extraHosts: toTextMap(declaration.extraHosts),
    dependsOn: declaration.dependsOn ?? [],
    ready: declaration.ready?.map(resolveReadyCheck) ?? defaultReadyChecks(declaration.ports ?? []),
    readyTimeoutMs: readDurationMs(declaration.readyTimeout) ?? DEFAULT_READY_TIMEOUT_MS,
    mounts: (declaration.mounts ?? []).map((mount) => resolveMount(mount, context.surroundings.folder)),
    tmpfs: (declaration.tmpfs ?? []).map(resolveTmpfs),
    readOnly: declaration.readOnly ?? false,
    limits: {
      memoryBytes: readSizeBytes(declaration.limits?.memory),
      cpus: declaration.limits?.cpus,
      pids: declaration.limits?.pids ?? DEFAULT_PIDS,
    },
    ...resolveRights(declaration),
    sysctls: toTextMap(declaration.sysctls),
    ulimits: mapValues(declaration.ulimits, (limit) =>
      typeof limit === 'number' ? { soft: limit, hard: limit } : limit,
    ),
    export: toTextMap(declaration.export),
    ignore: declaration.ignore ?? [],
  }
}

/** An external server is known by the name in its URL, also to itself. */
function hostnameOf(name: string, { externals, domain }: ResolveContext): string {
  return externals.get(name)?.url.host ?? `${name}.${domain}`
}

function resolveSecrets(
  declaration: ServerDeclaration,
  folder: string,
  external: External | undefined,
): Map<string, SecretOrigin> {
  return mapValues(
    declaration.secrets,
    ({ env, file, outside: mayLeave = false, generate = 0, value }, name): SecretOrigin => {
      if (value !== undefined && external?.secret === name) return { kind: 'url', text: value, from: external.from }
      if (value !== undefined) return { kind: 'value', text: value }
      if (env !== undefined) return { kind: 'env', variable: env }
      if (file !== undefined) return { kind: 'file', path: resolve(folder, file), folder, mayLeave }
      return { kind: 'generate', length: generate }
    },
  )
}

function resolveTls(tls: ServerDeclaration['tls'], folder: string): ServerTls | undefined {
  if (tls === undefined || tls === false) return undefined
  const { certificate = 'valid', key, ca, outside: mayLeave = false, names = [], owner } = tls === true ? {} : tls
  if (key === undefined) return { certificate: certificate as CertificateKind, names, owner }
  const file = (path: string): OwnCertificateFile => ({ path: resolve(folder, path), folder, mayLeave })
  const own = { certificate: file(certificate), key: file(key), ...(ca === undefined ? {} : { ca: file(ca) }) }
  return { certificate: 'valid', names, owner, own }
}

function resolveMount(mount: NonNullable<ServerDeclaration['mounts']>[number], folder: string): Mount {
  const rest = { to: mount.to, writable: mount.writable ?? false }
  return mount.volume === undefined
    ? { kind: 'bind', from: resolve(folder, mount.from ?? ''), mayLeave: mount.outside ?? false, ...rest }
    : { kind: 'volume', volume: mount.volume, ...rest }
}

type TmpfsDeclaration = NonNullable<ServerDeclaration['tmpfs']>[number]

function resolveTmpfs(tmpfs: TmpfsDeclaration): Tmpfs {
  const { to, size, mode, uid, gid, exec }: Exclude<TmpfsDeclaration, string> =
    typeof tmpfs === 'string' ? { to: tmpfs } : tmpfs
  return { to, sizeBytes: readSizeBytes(size), mode: readMode(mode), uid, gid, exec: exec || undefined }
}

type ReadyDeclaration = NonNullable<ServerDeclaration['ready']>[number]

function resolveReadyCheck(check: ReadyDeclaration): ReadyCheck {
  if (check.tcp !== undefined) {
    return { kind: 'tcp', ...(typeof check.tcp === 'number' ? { port: check.tcp } : check.tcp) }
  }
  if (check.http !== undefined) return resolveHttpCheck('http', check.http)
  if (check.https !== undefined) return resolveHttpCheck('https', check.https)
  if (check.exec !== undefined) return { kind: 'exec', command: check.exec }
  if (check.log !== undefined) {
    if (typeof check.log === 'string') return { kind: 'log', text: check.log, isPattern: false }
    const { text, pattern = '', ...others } = check.log
    return { kind: 'log', text: text ?? pattern, isPattern: text === undefined, ...others }
  }
  for (const name of protocolNames) if (check[name] !== undefined) return resolveProtocolCheck(name, check[name])
  if (check.healthcheck !== undefined) return { kind: 'healthcheck' }
  return { kind: 'exit', code: check.exit ?? 0 }
}

function resolveHttpCheck(kind: HttpCheck['kind'], check: NonNullable<ReadyDeclaration['https']>): HttpCheck {
  const { path = '/', headers = {}, body, ...others } = check
  return { ...others, kind, path, status: check.status === undefined ? [] : [check.status].flat(), headers, body }
}

function resolveProtocolCheck(kind: ProtocolName, asked: number | { readonly port: number }): ProtocolCheck {
  return { kind, ...(typeof asked === 'number' ? { port: asked } : asked) } as ProtocolCheck
}

/**
 * Capabilities that engines grant by default and servers hardly ever need: raw packets, device files, the machine's audit
 * log, and capabilities of files and of other processes.
 */
const DEFAULT_CAP_DROP = ['NET_RAW', 'MKNOD', 'AUDIT_WRITE', 'SETFCAP', 'SETPCAP']

/** Default capabilities of a server: few, unless it asks for more. */
function resolveRights(declaration: ServerDeclaration): Pick<Server, 'capAdd' | 'capDrop' | 'unsafe'> {
  const { privileged = false, engineSocket = false, newPrivileges = false } = declaration.unsafe ?? {}
  const capAdd = (declaration.capAdd ?? []).map(withoutPrefix)
  const dropped = declaration.capDrop?.map(withoutPrefix) ?? (privileged ? [] : DEFAULT_CAP_DROP)
  return {
    capAdd,
    // A capability that is both dropped and added is added: Docker accepts both and does so, Podman refuses (4.3).
    capDrop: dropped.filter((capability) => !capAdd.includes(capability)),
    unsafe: { privileged, engineSocket, newPrivileges },
  }
}

function withoutPrefix(capability: string): string {
  return capability.replace(/^CAP_/, '')
}
