import { type ExportSource, giveEnvironment, toEnvironment } from '../endpoints/environment.ts'
import type { ProgramNames } from '../model/container.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import type { DesiredServer } from '../model/plan.ts'
import type { NamedServer, SessionReport } from '../model/running.ts'
import { aliasesOf } from '../model/server-names.ts'
import type { ServerSpec } from '../model/session.ts'
import { nameServers } from '../report/names.ts'
import { type ObservedServer, type ObservedServers, reportSession } from '../report/report.ts'
import { describeVariables, type VariableSources } from '../report/variables.ts'
import type { SessionSettings } from '../servers/describe-server.ts'
import { digestSecrets, type SecretReader, type SecretValues } from '../servers/secrets.ts'
import type { StartRequest } from '../servers/start-server.ts'
import type { Tools } from '../tools.ts'

/** The part of an `up` that gives variables to processes. */
interface ProcessWork {
  readonly fleet: Fleet
  readonly settings: SessionSettings
  readonly planned: {
    readonly desired: { readonly servers: ReadonlyMap<string, DesiredServer> }
    readonly observed: ObservedServers
    readonly readSecrets: SecretReader
  }
  /** The servers that this call has created, with their ids. */
  readonly created: ReadonlyMap<string, string>
  readonly secrets: ReadonlyMap<string, SecretValues>
  /** Digests of the variables that were given, by server. */
  readonly given: Map<string, string | undefined>
}

/**
 * Returns what a server that is a process gets besides its own variables: those of the caller, those by which a command
 * finds the servers that it depends on, and the names of these. Undefined for another server.
 */
export async function describeSurroundings(
  server: Server,
  work: ProcessWork,
  tools: Tools,
): Promise<Pick<StartRequest, 'variables' | 'names'> | undefined> {
  if (server.runs.kind !== 'process') return undefined
  const { fleet, planned, created, settings, secrets, given } = work
  const names = listDependencies(server, fleet)
  const servers = await Promise.all(
    names.map(async (name): Promise<ObservedServer[]> => {
      const id = created.get(name) ?? planned.observed.get(name)?.container.id
      const spec = planned.desired.servers.get(name)?.spec
      if (id === undefined || spec === undefined) return []
      return [{ name, container: await tools.runtime.inspectServer(id, tools), spec }]
    }),
  )
  const observed = new Map(servers.flat().map((one) => [one.name, one]))
  const others = await describeOthers(observed, { fleet, session: settings.session }, tools, async (one) => {
    const before = planned.observed.get(one.name)?.spec
    return (
      secrets.get(one.name) ??
      planned.readSecrets({ ...one, server: one.name, container: one.container.id, spec: before ?? one.spec })
    )
  })
  given.set(server.name, digestOthers(others))
  const { report, exports } = others
  const aliases = [...observed.values()].flatMap(({ spec }) => spec.aliases)
  const clientFiles = await findClientFiles(settings.authority?.fingerprint, tools)
  const { environmentFor } = await describeVariables({ aliases, clientFiles, exports }, report, tools.host)
  const { variables } = giveEnvironment(tools.host, environmentFor(new Set()))
  return {
    variables: Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    names: describeNames(server, others.servers, fleet.domain, tools.host),
  }
}

/** A program that depends on servers with names also knows its own. */
export function describeNames(
  { name, hostname, aliases, ports }: Pick<Server, 'name' | 'hostname' | 'aliases' | 'ports'>,
  others: readonly NamedServer[],
  domain: string,
  { nodeHookFile, groupId }: Pick<Host, 'nodeHookFile' | 'groupId'>,
): ProgramNames | undefined {
  if (others.length === 0) return undefined
  const address = '127.0.0.1'
  const endpoints = ports.map(
    ({ container: port, protocol }) => [`${port}/${protocol}`, { host: address, port }] as const,
  )
  const names = [...new Set([hostname, ...aliasesOf({ name, aliases, hostname })])]
  const own = { server: name, names, address, endpoints: Object.fromEntries(endpoints) }
  return { domain, servers: [...others, own], nodeHookFile, groupId }
}

/**
 * Whether the addresses or exports of what a process depends on are others than those that it was given. A server whose
 * dependencies do not run is not compared: it starts again with them.
 */
export async function hasOldVariables(
  server: Server,
  spec: Pick<ServerSpec, 'variablesDigest'>,
  { fleet, session, observed, desired, readSecrets }: PlannedProcesses,
  tools: Tools,
): Promise<boolean> {
  const { variablesDigest: given } = spec
  if (server.runs.kind !== 'process') return false
  const names = listDependencies(server, fleet)
  const others = names.flatMap((name): ObservedServer[] => {
    const [now, wanted] = [observed.get(name), desired.get(name)]
    return now === undefined || wanted === undefined ? [] : [{ ...now, spec: wanted.spec }]
  })
  if (others.length < names.length || others.some(({ container }) => container.state !== 'running')) return false
  const known = new Map(others.map((one) => [one.name, one]))
  const now = await describeOthers(known, { fleet, session }, tools, ({ name, container }) =>
    readSecrets({ server: name, container: container.id, spec: observed.get(name)?.spec ?? { secrets: [] } }),
  )
  return digestOthers(now, given?.split(':')[0]) !== given
}

export interface PlannedProcesses {
  readonly fleet: Fleet
  readonly session: string
  readonly observed: ObservedServers
  readonly desired: ReadonlyMap<string, Pick<DesiredServer, 'spec'>>
  readonly readSecrets: SecretReader
}

/** The servers that one depends on, and those that these depend on, in the order of their names. */
function listDependencies(server: Server, { servers }: Fleet): readonly string[] {
  const found = new Set<string>()
  const add = (name: string): void => {
    if (found.has(name)) return
    found.add(name)
    servers.get(name)?.dependsOn.forEach(add)
  }
  server.dependsOn.forEach(add)
  return [...found].sort()
}

/** The servers that a process depends on, as it gets to know them. */
interface Others {
  readonly report: SessionReport
  readonly exports: readonly ExportSource[]
  /** Those that have names. */
  readonly servers: readonly NamedServer[]
}

async function describeOthers(
  observed: ObservedServers,
  { fleet, session }: { readonly fleet: Fleet; readonly session: string },
  tools: Tools,
  readSecrets: (server: ObservedServer) => Promise<SecretValues>,
): Promise<Others> {
  const about = { name: session, fleet: fleet.name, domain: fleet.domain }
  const [report, exports] = await Promise.all([
    reportSession(about, observed, new Set(observed.keys()), tools),
    Promise.all(
      [...observed.values()].map(async (one): Promise<ExportSource> => {
        const needsSecrets = Object.values(one.spec.export).some((template) => template.includes('${secret.'))
        return { name: one.name, spec: one.spec, secrets: needsSecrets ? await readSecrets(one) : new Map() }
      }),
    ),
  ])
  return { report, exports, servers: nameServers(observed, tools.runtime) }
}

/** Salted, because the variables have passwords in them. Undefined for none. */
function digestOthers({ report, exports, servers }: Others, salt?: string): string | undefined {
  const { TESTFLEET_SESSION: _, ...variables } = toEnvironment(report, exports)
  const names = servers.length === 0 ? {} : { '/etc/hosts': JSON.stringify(servers) }
  return digestSecrets(new Map(Object.entries({ ...variables, ...names })), salt)
}

async function findClientFiles(
  fingerprint: string | undefined,
  { host }: Tools,
): Promise<VariableSources['clientFiles']> {
  if (fingerprint === undefined) return undefined
  // Loaded on demand: most fleets have no certificates.
  const store = await import('../certificates/authority-store.ts')
  return store.findClientFiles(fingerprint, host)
}
