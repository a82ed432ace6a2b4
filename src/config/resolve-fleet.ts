import { resolve } from 'node:path'
import { readDurationMs } from '../formats/duration.ts'
import { readSizeBytes } from '../formats/size.ts'
import type { ServerTls } from '../model/certificate.ts'
import { FleetFileError, type Mistake } from '../model/failures.ts'
import type {
  EnvironmentValue,
  FieldPath,
  Fleet,
  Mount,
  Port,
  Protocol,
  SecretOrigin,
  Server,
  Tmpfs,
} from '../model/fleet.ts'
import type { FleetFile, ServerDeclaration } from '../model/fleet-file.ts'
import { checkRelations } from './check-relations.ts'
import { type FleetDocument, formatFieldPath, type ReportMistake } from './document.ts'
import { defaultFleetName } from './fleet-name.ts'
import { sortByPosition } from './mistakes.ts'
import type { ResolveContext, Surroundings } from './resolve-context.ts'
import { resolveImage } from './resolve-image.ts'
import { defaultReadyChecks, resolveReadyCheck } from './resolve-ready.ts'
import { resolveRights } from './resolve-rights.ts'
import { toTextMap } from './text-map.ts'

const DEFAULT_READY_TIMEOUT_MS = 60_000
/** A server that makes processes without end stops here, and its machine goes on. */
const DEFAULT_PIDS = 4096

/** A valid file to a Fleet: defaults applied, references checked. Fails with a `FleetFileError`. */
export function resolveFleet(file: FleetFile, document: FleetDocument, surroundings: Surroundings): Fleet {
  const mistakes: Mistake[] = []
  const report: ReportMistake = (path, message) => {
    mistakes.push({ at: document.locate(path), field: formatFieldPath(path), message })
  }
  const name = file.name ?? defaultFleetName(surroundings.folder)
  const domain = file.domain ?? `${name}.test`
  const context: ResolveContext = { file, fleetName: name, domain, surroundings, report, bases: new Map() }
  const servers = new Map(
    Object.entries(file.servers).map(([key, declaration]) => [key, resolveServer(key, declaration, context)] as const),
  )
  const fleet: Fleet = {
    name,
    domain,
    folder: surroundings.folder,
    source: {
      file: surroundings.file,
      locate: (path) => document.locate(path),
      locateKey: (path) => document.locateKey(path),
    },
    servers,
    ignore: file.ignore ?? [],
  }
  checkRelations(fleet, report)
  if (mistakes.length > 0) throw new FleetFileError(sortByPosition(mistakes))
  return fleet
}

function resolveServer(name: string, declaration: ServerDeclaration, context: ResolveContext): Server {
  const at: FieldPath = ['servers', name]
  const ports = (declaration.ports ?? []).map(resolvePort)
  return {
    name,
    hostname: `${name}.${context.domain}`,
    image: resolveImage(name, declaration, context),
    command: declaration.command,
    entrypoint: declaration.entrypoint,
    user: declaration.user === undefined ? undefined : String(declaration.user),
    workingDir: declaration.workingDir,
    environment: resolveEnvironment(declaration, [...at, 'environment'], context),
    labels: toTextMap(declaration.labels),
    init: declaration.init ?? false,
    stopSignal: declaration.stopSignal,
    platform: declaration.platform,
    secrets: resolveSecrets(declaration, context.surroundings.folder),
    tls: resolveTls(declaration.tls),
    ports,
    aliases: declaration.aliases ?? [],
    extraHosts: new Map(Object.entries(declaration.extraHosts ?? {})),
    dependsOn: declaration.dependsOn ?? [],
    ready: declaration.ready === undefined ? defaultReadyChecks(ports) : declaration.ready.map(resolveReadyCheck),
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
    ulimits: new Map(
      Object.entries(declaration.ulimits ?? {}).map(([key, limit]) => [
        key,
        typeof limit === 'number' ? { soft: limit, hard: limit } : limit,
      ]),
    ),
    export: toTextMap(declaration.export),
    ignore: declaration.ignore ?? [],
  }
}

function resolveEnvironment(
  declaration: ServerDeclaration,
  at: FieldPath,
  context: ResolveContext,
): Map<string, EnvironmentValue> {
  const entries = Object.entries(declaration.environment ?? {}).map(([name, value]): [string, EnvironmentValue] => {
    if (typeof value !== 'object') return [name, { kind: 'text', text: String(value) }]
    if ('secret' in value) {
      if (!Object.hasOwn(declaration.secrets ?? {}, value.secret)) {
        context.report([...at, name, 'secret'], `there is no secret \`${value.secret}\`; declare it in \`secrets\``)
      }
      return [name, { kind: 'secret', secret: value.secret }]
    }
    const { environment } = context.surroundings
    const text = Object.hasOwn(environment, value.env) ? environment[value.env] : undefined
    if (text === undefined)
      context.report([...at, name, 'env'], `the variable ${value.env} is not set where testfleet was called`)
    return [name, { kind: 'text', text: text ?? '', from: value.env }]
  })
  return new Map(entries)
}

function resolveSecrets(declaration: ServerDeclaration, folder: string): Map<string, SecretOrigin> {
  const entries = Object.entries(declaration.secrets ?? {}).map(([name, secret]): [string, SecretOrigin] => {
    if (secret.env !== undefined) return [name, { kind: 'env', variable: secret.env }]
    if (secret.file !== undefined) {
      const { file, outside: mayLeave = false } = secret
      return [name, { kind: 'file', path: resolve(folder, file), folder, mayLeave }]
    }
    return [name, { kind: 'generate', length: secret.generate ?? 0 }]
  })
  return new Map(entries)
}

function resolveTls(tls: ServerDeclaration['tls']): ServerTls | undefined {
  if (tls === undefined || tls === false) return undefined
  const { certificate = 'valid', names = [], owner } = tls === true ? {} : tls
  return { certificate, names, owner }
}

function resolvePort(port: NonNullable<ServerDeclaration['ports']>[number]): Port {
  if (typeof port === 'number') return { container: port, protocol: 'tcp', host: undefined, address: undefined }
  if (typeof port === 'string') {
    const [number = '', protocol = 'tcp'] = port.split('/')
    return { container: Number(number), protocol: protocol as Protocol, host: undefined, address: undefined }
  }
  return { container: port.container, protocol: port.protocol ?? 'tcp', host: port.host, address: port.address }
}

function resolveMount(mount: NonNullable<ServerDeclaration['mounts']>[number], folder: string): Mount {
  const rest = { to: mount.to, writable: mount.writable ?? false }
  return mount.volume === undefined
    ? { kind: 'bind', from: resolve(folder, mount.from ?? ''), mayLeave: mount.outside ?? false, ...rest }
    : { kind: 'volume', volume: mount.volume, ...rest }
}

function resolveTmpfs(tmpfs: NonNullable<ServerDeclaration['tmpfs']>[number]): Tmpfs {
  if (typeof tmpfs === 'string')
    return { to: tmpfs, sizeBytes: undefined, mode: undefined, uid: undefined, gid: undefined }
  return {
    to: tmpfs.to,
    sizeBytes: readSizeBytes(tmpfs.size),
    mode: tmpfs.mode === undefined ? undefined : Number.parseInt(tmpfs.mode, 8),
    uid: tmpfs.uid,
    gid: tmpfs.gid,
  }
}
