import type { Server } from '../model/fleet.ts'
import type { FleetFile, ServerDeclaration } from '../model/fleet-file.ts'
import type { FilledFleet } from './load-fleet.ts'
import { DEFAULT_BASE } from './resolve-image.ts'
import { defaultReadyChecks } from './resolve-ports.ts'
import { DEFAULT_PIDS } from './resolve-server.ts'

/**
 * A fleet file that becomes the same fleet from the same folder, with presets filled in and the defaults that people ask
 * about written out.
 */
export function describeEffectiveFleet({ fleet, filled }: FilledFleet): FleetFile {
  const { $schema: _, name: __, domain: ___, base, servers, ...rest } = filled
  const from = base?.from ?? DEFAULT_BASE
  const described = Object.entries(servers).map(([name, declaration]) => {
    const { capDrop = [], runs, secrets } = fleet.servers.get(name) ?? {}
    if (runs?.kind === 'external' || runs?.kind === 'process')
      return [name, withoutUrlSecrets(declaration, secrets ?? new Map())] as const
    return [name, describeServer(declaration, from, capDrop)] as const
  })
  return {
    name: fleet.name,
    domain: fleet.domain,
    ...(base === undefined ? {} : { base: { from, ...base } }),
    servers: Object.fromEntries(described),
    ...rest,
  }
}

/** The URL of an external server has its password, which is not declared a second time. */
function withoutUrlSecrets(declaration: ServerDeclaration, secrets: Server['secrets']): ServerDeclaration {
  const { secrets: declared = {}, readyTimeout = '60s', ...rest } = declaration
  const own = Object.entries(declared).filter(([name]) => secrets.get(name)?.kind !== 'url')
  return { ...rest, readyTimeout, ...(own.length > 0 && { secrets: Object.fromEntries(own) }) }
}

function describeServer(
  declaration: ServerDeclaration,
  from: string,
  droppedByDefault: readonly string[],
): ServerDeclaration {
  const { build, ports = [], ready = defaultReady(ports), capDrop = droppedByDefault } = declaration
  return {
    ...declaration,
    ...(build === undefined || build.dockerfile !== undefined ? {} : { build: { from, ...build } }),
    ...(ready.length === 0 ? {} : { ready }),
    readyTimeout: declaration.readyTimeout ?? '60s',
    limits: { pids: DEFAULT_PIDS, ...declaration.limits },
    capDrop: [...capDrop],
  }
}

function defaultReady(ports: NonNullable<ServerDeclaration['ports']>): NonNullable<ServerDeclaration['ready']> {
  return defaultReadyChecks(ports).flatMap((check) => (check.kind === 'tcp' ? [{ tcp: check.port }] : []))
}
