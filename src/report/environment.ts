import type { ClientFiles } from '../certificates/keep-authority.ts'
import { type ExportSource, toEnvironment } from '../endpoints/environment.ts'
import { type FleetNames, passFleet } from '../formats/proxy-variables.ts'
import { TestfleetError } from '../model/failures.ts'
import type { SessionReport } from '../model/running.ts'
import type { SessionRecord } from '../model/session.ts'
import { openSecretReader } from '../servers/secrets.ts'
import type { Tools } from '../tools.ts'
import { type ObservedServer, type ObservedServers, observeServers } from './report.ts'

/** The variables by which tests find the servers of a session, by the names that lead to them at their real ports. */
type EnvironmentOf = (names: ReadonlySet<string>) => Record<string, string>

/** Those for a program that has none of the servers' names. What the fleet file exports goes first. */
export async function readEnvironment(
  record: SessionRecord,
  report: SessionReport,
  tools: Tools,
): Promise<Record<string, string>> {
  return (await openEnvironment(record, report, tools))(new Set())
}

/** As `readEnvironment`, for a command of which it is not known yet whether it can have the names. */
export async function openEnvironment(
  record: SessionRecord,
  report: SessionReport,
  tools: Tools,
): Promise<EnvironmentOf> {
  const observed = await observeServers(record, tools.runtime, tools)
  const [trust, sources] = await Promise.all([findTrust(observed, tools), readExportSources(observed, tools)])
  const noProxy = passFleet(tools.host.environment, toFleetNames(report, observed))
  return (names) => ({ ...noProxy, ...trust, ...toEnvironment(report, sources, names) })
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

/** What the `export` of each server is filled in with. Secrets are those that its container was given. */
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
 * How clients trust the servers of a session: the variables that say it. None for a session without certificates. The
 * authority is the one that its containers were given, whoever made it.
 */
async function findTrust(servers: ObservedServers, tools: Tools): Promise<Readonly<Record<string, string>>> {
  const holder = [...servers.values()].reduce<ObservedServer | undefined>(newerOf, undefined)
  if (holder?.spec.authority === undefined) return {}
  // Loaded on demand: most fleets have no certificates.
  const [{ clientEnvironment }, { findClientFiles }] = await Promise.all([
    import('../certificates/client-environment.ts'),
    import('../certificates/keep-authority.ts'),
  ])
  const { fingerprint } = holder.spec.authority
  const files =
    (await findClientFiles(fingerprint, tools.host)) ?? (await takeFromContainer(holder, fingerprint, tools))
  return clientEnvironment(files, tools.host)
}

/** After an `up` of some servers alone, the others still have the authority from before. */
function newerOf(one: ObservedServer | undefined, other: ObservedServer): ObservedServer | undefined {
  const endOf = (server: ObservedServer | undefined): number => server?.spec.authority?.endsAtMs ?? 0
  return endOf(other) > endOf(one) ? other : one
}

/** A session that was started from another machine brings its authority along, except for what is secret. */
async function takeFromContainer(
  { name, container }: ObservedServer,
  fingerprint: string,
  { runtime, host, signal }: Tools,
): Promise<ClientFiles> {
  const [{ findClientFiles, keepForeign }, { readAuthority }] = await Promise.all([
    import('../certificates/keep-authority.ts'),
    import('../servers/certificates.ts'),
  ])
  const authority = await readAuthority(runtime, container.id, { signal })
  // It is the one that the record names, whoever has been in the container since.
  if (authority !== undefined && (await keepForeign(authority, fingerprint, host))) {
    const files = await findClientFiles(fingerprint, host)
    if (files !== undefined) return files
  }
  throw new TestfleetError('NOT_FOUND', `the certificate authority of ${name} cannot be read from it`, { server: name })
}
