import { fillTemplate } from '../model/export-template.ts'
import type { RunningSpec, ServerReport, SessionReport } from '../model/running.ts'

/** A server with what its `export` needs to be filled in. */
export interface ExportSource {
  readonly name: string
  readonly spec: RunningSpec
  readonly secrets: ReadonlyMap<string, string>
}

/**
 * The variables by which a test command finds the servers of a session. Of two servers that export the same one, the
 * later in the order of the alphabet has it, whatever order they were started in.
 */
export function toEnvironment(report: SessionReport, exports: readonly ExportSource[]): Record<string, string> {
  const variables: Record<string, string> = { TESTFLEET_SESSION: report.session }
  for (const [name, server] of Object.entries(report.servers)) Object.assign(variables, serverVariables(name, server))
  for (const source of exports.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const server = report.servers[source.name]
    if (server !== undefined) Object.assign(variables, filledExports(source, server))
  }
  return variables
}

function serverVariables(name: string, server: ServerReport): Record<string, string> {
  const prefix = `TESTFLEET_${name.replaceAll('-', '_').toUpperCase()}`
  const variables: Record<string, string> = { [`${prefix}_HOSTNAME`]: server.hostname }
  const [first] = Object.values(server.endpoints)
  if (first !== undefined) {
    variables[`${prefix}_HOST`] = first.host
    variables[`${prefix}_PORT`] = String(first.port)
  }
  for (const [key, endpoint] of Object.entries(server.endpoints)) {
    const [number = ''] = key.split('/')
    variables[`${prefix}_PORT_${number}`] ??= String(endpoint.port)
  }
  return variables
}

function filledExports({ spec, secrets }: ExportSource, server: ServerReport): Record<string, string> {
  const [first] = Object.values(server.endpoints)
  const entries = Object.entries(spec.export).map(([variable, template]) => {
    const value = fillTemplate(template, (reference) => {
      switch (reference.kind) {
        case 'host':
          return first?.host ?? ''
        case 'hostname':
          return server.hostname
        case 'port':
          return String(findEndpoint(server, reference.port, reference.protocol)?.port ?? '')
        case 'secret':
          return secrets.get(reference.name) ?? ''
        case 'unknown':
          return ''
      }
    })
    return [variable, value] as const
  })
  return Object.fromEntries(entries)
}

/** Without a protocol, tcp goes first. */
export function findEndpoint(
  server: ServerReport,
  port: number,
  protocol: string | undefined,
): { host: string; port: number } | undefined {
  if (protocol !== undefined) return server.endpoints[`${port}/${protocol}`]
  return server.endpoints[`${port}/tcp`] ?? server.endpoints[`${port}/udp`] ?? server.endpoints[`${port}/sctp`]
}
