import type { ClientFiles } from '../certificates/authority-store.ts'
import type { ExportSource } from '../endpoints/environment.ts'
import { TestfleetError } from '../model/failures.ts'
import type { SessionReport } from '../model/running.ts'
import type { SessionRecord } from '../model/session.ts'
import { openSecretReader } from '../servers/secrets.ts'
import type { Tools } from '../tools.ts'
import { type ObservedServer, type ObservedServers, observeServers } from './report.ts'
import { describeVariables, type SessionVariables, type VariableSources } from './variables.ts'

/**
 * Returns the variables for a program that cannot resolve the servers' names. Exports of the fleet file take
 * precedence.
 */
export async function readEnvironment(
  record: SessionRecord,
  report: SessionReport,
  tools: Tools,
): Promise<Record<string, string>> {
  return (await openVariables(record, report, tools)).environmentFor(new Set())
}

/** Reads everything that the variables of a session are made from, once. A change of `report` changes the variables. */
export async function openVariables(
  record: SessionRecord,
  report: SessionReport,
  tools: Tools,
): Promise<SessionVariables> {
  const observed = await observeServers(record, tools.runtime, tools)
  return describeVariables(await readVariableSources(observed, tools), report, tools.host)
}

/** Reads what the variables of a session are made from, apart from its report and its caller. */
export async function readVariableSources(observed: ObservedServers, tools: Tools): Promise<VariableSources> {
  const [clientFiles, exports] = await Promise.all([findTrusted(observed, tools), readExportSources(observed, tools)])
  return { aliases: [...observed.values()].flatMap(({ spec }) => spec.aliases), clientFiles, exports }
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
 * Returns the files by which clients trust the servers of a session; undefined for a session without certificates. The
 * authority is the one that its containers were given, wherever it was made.
 */
async function findTrusted(servers: ObservedServers, tools: Tools): Promise<ClientFiles | undefined> {
  const holder = [...servers.values()].reduce<ObservedServer | undefined>(newerOf, undefined)
  if (holder?.spec.authority === undefined) return undefined
  // Loaded on demand: most fleets have no certificates.
  const { findClientFiles } = await import('../certificates/authority-store.ts')
  const { fingerprint } = holder.spec.authority
  return (await findClientFiles(fingerprint, tools.host)) ?? (await takeFromContainer(holder, fingerprint, tools))
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
