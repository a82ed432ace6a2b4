import { isIPv6 } from 'node:net'
import { type ExportReference, fillTemplate } from '../formats/export-template.ts'
import { hasNoNul, VARIABLE } from '../formats/grammar.ts'
import { findReservation } from '../formats/reserved-variables.ts'
import { TestfleetError } from '../model/failures.ts'
import { findEndpoint } from '../model/find-endpoint.ts'
import type { Host } from '../model/host.ts'
import type { ServerReport, SessionReport } from '../model/running.ts'
import type { ServerSpec } from '../model/session.ts'

/** A server, and everything needed to expand its `export`. */
export interface ExportSource {
  readonly name: string
  readonly spec: Pick<ServerSpec, 'export' | 'lending'>
  readonly secrets: ReadonlyMap<string, string>
}

/**
 * Returns the variables by which a test command finds the servers of a session. `names` are the host names that reach
 * servers at their real ports. When two servers export the same variable, each also has it prefixed as
 * `TESTFLEET_<SERVER>_<NAME>`; the plain name belongs to the server that comes last in alphabetical order.
 *
 * `exports` comes from a record that another program may have written, so invalid names are left out. Fails with
 * SECRET_UNUSABLE for a value that no environment can contain.
 */
export function toEnvironment(
  report: SessionReport,
  exports: readonly ExportSource[],
  names: ReadonlySet<string> = new Set(),
): Record<string, string> {
  const variables: Record<string, string> = { TESTFLEET_SESSION: report.session }
  const exported = listExported(report, exports, names)
  for (const group of Map.groupBy(exported, ({ name }) => name).values()) {
    if (group.length === 1) continue
    for (const { server, name, value } of group) {
      const long = `${prefixOf(server)}_${name}`
      if (!ownSettings.has(long.toUpperCase())) variables[long] = value
    }
  }
  for (const [name, server] of Object.entries(report.servers)) Object.assign(variables, serverVariables(name, server))
  for (const { name, value } of exported) variables[name] = value
  for (const [name, value] of Object.entries(variables)) {
    if (!VARIABLE.test(name)) delete variables[name]
    else if (!hasNoNul(value)) throw new TestfleetError('SECRET_UNUSABLE', `the value of ${name} has a NUL character`)
  }
  return variables
}

/** Returns what each server exports, by the server's name, for a program that cannot resolve the servers' names. */
export function toExports(report: SessionReport, exports: readonly ExportSource[]): Record<string, ExportedVariables> {
  const byServer: Record<string, Record<string, string>> = {}
  for (const server of Object.keys(report.servers)) byServer[server] = {}
  for (const { server, name, value } of listExported(report, exports, new Set()))
    Object.assign(byServer[server] ?? {}, { [name]: value })
  return byServer
}

/** Returns the variables of one server, as if it were alone in its session. They do not name the session. */
export function toServerEnvironment(
  server: string,
  report: SessionReport,
  exports: readonly ExportSource[],
): ExportedVariables {
  const { [server]: own } = report.servers
  const alone = { ...report, servers: own === undefined ? {} : { [server]: own } }
  const { TESTFLEET_SESSION: _, ...environment } = toEnvironment(alone, exports)
  return environment
}

export type ExportedVariables = Readonly<Record<string, string>>

interface Exported {
  readonly server: string
  readonly name: string
  readonly value: string
}

/** Lists the exports in alphabetical order of the servers. */
function listExported(
  report: SessionReport,
  exports: readonly ExportSource[],
  names: ReadonlySet<string>,
): readonly Exported[] {
  return exports
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(({ name: server, spec, secrets }) => {
      const found = report.servers[server]
      if (found === undefined) return []
      const database = spec.lending?.database?.name ?? ''
      return Object.entries(spec.export)
        .filter(([name]) => isExportName(name))
        .map(([name, template]) => ({ server, name, value: fillExport(template, found, { secrets, database }, names) }))
    })
}

/** Settings of testfleet itself, which no server may set. */
const ownSettings = new Set([
  ...['TESTFLEET_STATE_DIR', 'TESTFLEET_ENGINE', 'TESTFLEET_ENGINE_TIMEOUT', 'TESTFLEET_INSECURE_ENGINE'],
  ...['TESTFLEET_CA_FILE', 'TESTFLEET_CRL_FILE', 'TESTFLEET_CLIENT_CERT_FILE', 'TESTFLEET_CLIENT_KEY_FILE'],
])

function isExportName(name: string): boolean {
  return VARIABLE.test(name) && findReservation(name) === undefined
}

interface CommandEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Names that the caller had set to another value. */
  readonly replaced: readonly string[]
}

/** Variables by which a process finds its session. A session that nobody holds, such as one of `up`, has no keeper's socket. */
export function socketVariables({ socket, lender }: { readonly socket: string; readonly lender: string }) {
  return { ...(socket === '' ? {} : { [KEEPER]: socket }), TESTFLEET_LENDER: lender }
}

const KEEPER = 'TESTFLEET_KEEPER'

/** Returns the environment of a command in a session: the caller's, overlaid with the session's variables. */
export function giveEnvironment(
  caller: Pick<Host, 'environment' | 'platform'>,
  session: Readonly<Record<string, string>>,
): CommandEnvironment {
  // Windows compares names without case.
  const keyOf = (name: string): string => (caller.platform === 'win32' ? name.toUpperCase() : name)
  const given = new Map(Object.entries(session).map(([name, value]) => [keyOf(name), { name, value }]))
  const variables: Record<string, string | undefined> = { ...session }
  const replaced: string[] = []
  for (const [name, value] of Object.entries(caller.environment)) {
    const ours = given.get(keyOf(name))
    // The keeper of another session, in which the caller runs, says nothing of this one.
    if (ours === undefined && keyOf(name) !== KEEPER) variables[name] = value
    if (ours === undefined) continue
    // Variables that testfleet itself sets extend the caller's value.
    if (value !== undefined && value !== ours.value && isExportName(name)) replaced.push(ours.name)
  }
  return { variables, replaced }
}

function prefixOf(server: string): string {
  return `TESTFLEET_${server.replaceAll('-', '_').toUpperCase()}`
}

function serverVariables(name: string, server: ServerReport): Record<string, string> {
  const prefix = prefixOf(name)
  const variables: Record<string, string> = { [`${prefix}_HOSTNAME`]: server.hostname }
  const [first] = Object.values(server.endpoints)
  if (first !== undefined) {
    variables[`${prefix}_HOST`] = first.host
    variables[`${prefix}_PORT`] = String(first.port)
  }
  const endpoints = Object.entries(server.endpoints).map(([key, { port }]) => ({ port, parts: key.split('/') }))
  for (const [number = '', group] of Map.groupBy(endpoints, ({ parts }) => parts[0])) {
    const port = `${prefix}_PORT_${number}`
    variables[port] = String(findEndpoint(server, Number(number), undefined)?.port ?? '')
    if (group.length > 1)
      for (const { port: one, parts } of group) variables[`${port}_${parts[1]?.toUpperCase()}`] = String(one)
  }
  return variables
}

function fillExport(
  template: string,
  server: ServerReport,
  { secrets, database }: { readonly secrets: ReadonlyMap<string, string>; readonly database: string },
  names: ReadonlySet<string>,
): string {
  const [first] = Object.values(server.endpoints)
  return fillTemplate(template, (reference) => {
    switch (reference.kind) {
      case 'host':
        return first?.host ?? ''
      case 'hostname':
        return server.hostname
      case 'port':
        return String(findEndpoint(server, reference.port, reference.protocol)?.port ?? '')
      case 'endpoint':
        return wordEndpoint(reference, server, names)
      case 'secret':
        return secrets.get(reference.name) ?? ''
      case 'database':
        return database
      case 'unknown':
        return ''
    }
  })
}

type EndpointReference = Extract<ExportReference, { kind: 'endpoint' }>

function wordEndpoint(asked: EndpointReference, server: ServerReport, names: ReadonlySet<string>): string {
  const published = findEndpoint(server, asked.port, asked.protocol)
  const endpoint = names.has(server.hostname) ? { host: server.hostname, port: asked.port } : published
  if (endpoint === undefined) return ''
  if (asked.part !== undefined) return String(endpoint[asked.part])
  return `${isIPv6(endpoint.host) ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`
}
