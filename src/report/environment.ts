import type { ClientFiles } from '../certificates/authority-store.ts'
import { type ExportedVariables, type ExportSource, toEnvironment, toExports } from '../endpoints/environment.ts'
import { type FleetNames, passFleet } from '../formats/proxy-variables.ts'
import { TestfleetError } from '../model/failures.ts'
import type { SessionReport } from '../model/running.ts'
import type { SessionRecord } from '../model/session.ts'
import { openSecretReader } from '../servers/secrets.ts'
import type { Tools } from '../tools.ts'
import { type ObservedServer, type ObservedServers, observeServers } from './report.ts'

/**
 * Returns the variables by which tests find the servers of a session. `names` are the host names that reach servers at
 * their declared ports.
 */
type EnvironmentOf = (names: ReadonlySet<string>) => Record<string, string>

interface SessionVariables {
  readonly environmentFor: EnvironmentOf
  /** Returns the exports of each server, for a program that cannot resolve the servers' names. */
  readonly exports: () => Record<string, ExportedVariables>
}

/**
 * Returns the variables for a program that cannot resolve the servers' names. Exports of the fleet file take
 * precedence.
 */
export async function readEnvironment(
  record: SessionRecord,
  report: SessionReport,
  tools: Tools,
): Promise<Record<string, string>> {
  return (await openEnvironment(record, report, tools))(new Set())
}

/** Like `readEnvironment`, for a command that may or may not get the servers' names. */
export async function openEnvironment(
  record: SessionRecord,
  report: SessionReport,
  tools: Tools,
): Promise<EnvironmentOf> {
  return (await openVariables(record, report, tools)).environmentFor
}

/** Reads everything that the variables of a session are made from, once. A change of `report` changes the variables. */
export async function openVariables(
  record: SessionRecord,
  report: SessionReport,
  tools: Tools,
): Promise<SessionVariables> {
  const observed = await observeServers(record, tools.runtime, tools)
  const [trust, sources] = await Promise.all([findTrust(observed, tools), readExportSources(observed, tools)])
  const noProxy = () => passFleet(tools.host.environment, toFleetNames(report, observed))
  return {
    environmentFor: (names) => ({ ...noProxy(), ...trust, ...toEnvironment(report, sources, names) }),
    exports: () => toExports(report, sources),
  }
}

function toFleetNames({ domain, servers }: SessionReport, observed: ObservedServers): FleetNames {
  const aliases = [...observed.values()].flatMap(({ spec }) => spec.aliases)
  const reports = Object.values(servers)
  return {
    domain,
    aliases: aliases.filter((alias) => !alias.endsWith(`.${domain}`)),
    addresses: reports.map(({ ip }) => ip).filter(Boolean),
    published: reports.flatMap(({ endpoints }) => Object.values(endpoints).map(({ host, port }) => `${host}:${port}`)),
  }
}

/** Reads what each server's `export` is expanded with. Secrets are the ones that its container was given. */
async function readExportSources(observed: ObservedServers, { runtime, host, signal }: Tools): Promise<ExportSource[]> {
  const readSecrets = openSecretReader(runtime, host, { signal })
  return Promise.all(
    [...observed.values()].map(async ({ name, container, spec }) => {
      const needsSecrets = Object.values(spec.export).some((template) => template.includes('${secret.'))
      const holder = { server: name, container: container.id, spec }
      return { name, spec, secrets: needsSecrets ? await readSecrets(holder) : new Map() }
    }),
  )
}

/**
 * Returns the variables that make clients trust the servers of a session; none for a session without certificates. The
 * authority is the one that its containers were given, wherever it was made.
 */
async function findTrust(servers: ObservedServers, tools: Tools): Promise<Readonly<Record<string, string>>> {
  const holder = [...servers.values()].reduce<ObservedServer | undefined>(newerOf, undefined)
  if (holder?.spec.authority === undefined) return {}
  // Loaded on demand: most fleets have no certificates.
  const [{ clientEnvironment }, { findClientFiles }] = await Promise.all([
    import('../certificates/client-environment.ts'),
    import('../certificates/authority-store.ts'),
  ])
  const { fingerprint } = holder.spec.authority
  const files =
    (await findClientFiles(fingerprint, tools.host)) ?? (await takeFromContainer(holder, fingerprint, tools))
  return clientEnvironment(files, tools.host)
}

/**
 * Returns the server with the newer authority: after an `up` of some servers only, the others still have the old one.
 */
function newerOf(one: ObservedServer | undefined, other: ObservedServer): ObservedServer | undefined {
  const endOf = (server: ObservedServer | undefined): number => server?.spec.authority?.endsAtMs ?? 0
  return endOf(other) > endOf(one) ? other : one
}

/**
 * Copies the authority, without its private key, from a container: the session may have been started on another
 * machine.
 */
async function takeFromContainer(
  { name, container }: ObservedServer,
  fingerprint: string,
  { runtime, host, signal }: Tools,
): Promise<ClientFiles> {
  const [{ findClientFiles, storeForeign }, { readAuthority }] = await Promise.all([
    import('../certificates/authority-store.ts'),
    import('../servers/certificates.ts'),
  ])
  const authority = await readAuthority(runtime, container.id, { signal })
  // The fingerprint proves that it is the authority in the record: the container could have replaced the file.
  if (authority !== undefined && (await storeForeign(authority, fingerprint, host))) {
    const files = await findClientFiles(fingerprint, host)
    if (files !== undefined) return files
  }
  throw new TestfleetError('NOT_FOUND', `the certificate authority of ${name} cannot be read from its container`, {
    server: name,
  })
}
