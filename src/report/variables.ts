import type { ClientFiles } from '../certificates/authority-store.ts'
import {
  type ExportedVariables,
  type ExportSource,
  toEnvironment,
  toExports,
  toServerEnvironment,
} from '../endpoints/environment.ts'
import { type FleetNames, passFleet } from '../formats/proxy-variables.ts'
import type { Host } from '../model/host.ts'
import type { SessionReport } from '../model/running.ts'

/**
 * Returns the variables by which tests find the servers of a session. `names` are the host names that reach servers at
 * their declared ports.
 */
type EnvironmentOf = (names: ReadonlySet<string>) => Record<string, string>

export interface SessionVariables {
  readonly environmentFor: EnvironmentOf
  /** Returns the exports of each server, for a program that cannot resolve the servers' names. */
  readonly exports: () => Record<string, ExportedVariables>
  /** Returns what a lease of that server would have as its variables. */
  readonly environmentOf: (server: string) => ExportedVariables
}

/** What the variables of a session are made from, apart from its report and its caller. */
export interface VariableSources {
  readonly aliases: readonly string[]
  /** Undefined for a session without certificates. */
  readonly clientFiles: ClientFiles | undefined
  readonly exports: readonly ExportSource[]
}

/** Returns the variables of a session for a caller. A change of `report` changes the variables. */
export async function describeVariables(
  { aliases, clientFiles, exports }: VariableSources,
  report: SessionReport,
  host: Host,
): Promise<SessionVariables> {
  const trust = clientFiles === undefined ? {} : await readTrust(clientFiles, host)
  const noProxy = () => passFleet(host.environment, toFleetNames(report, aliases))
  return {
    environmentFor: (names) => ({ ...noProxy(), ...trust, ...toEnvironment(report, exports, names) }),
    exports: () => toExports(report, exports),
    environmentOf: (server) => toServerEnvironment(server, report, exports),
  }
}

/** Loaded on demand: most fleets have no certificates. */
async function readTrust(files: ClientFiles, host: Host): Promise<Readonly<Record<string, string>>> {
  const { clientEnvironment } = await import('../certificates/client-environment.ts')
  return clientEnvironment(files, host)
}

function toFleetNames({ domain, servers }: SessionReport, aliases: readonly string[]): FleetNames {
  const reports = Object.values(servers)
  return {
    domain,
    aliases: aliases.filter((alias) => !alias.endsWith(`.${domain}`)),
    addresses: reports.map(({ ip }) => ip).filter(Boolean),
    published: reports.flatMap(({ endpoints }) => Object.values(endpoints).map(({ host, port }) => `${host}:${port}`)),
  }
}
