import { fillTemplate } from '../formats/export-template.ts'
import type { ServerReport, SessionReport } from '../model/running.ts'
import type { ServerSpec } from '../model/session.ts'

/** A server with what its `export` needs to be filled in. */
export interface ExportSource {
  readonly name: string
  readonly spec: Pick<ServerSpec, 'export'>
  readonly secrets: ReadonlyMap<string, string>
}

/**
 * The variables by which a test command finds the servers of a session. Where two servers export the same name, each
 * has it behind its own as well, `TESTFLEET_<SERVER>_<NAME>`; the name alone is that of the later in the order of the
 * alphabet, whatever order they were started in.
 */
export function toEnvironment(report: SessionReport, exports: readonly ExportSource[]): Record<string, string> {
  const variables: Record<string, string> = { TESTFLEET_SESSION: report.session }
  const exported = exports
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(({ name: server, spec, secrets }) => {
      const found = report.servers[server]
      if (found === undefined) return []
      return Object.entries(spec.export).map(([name, template]) => {
        return { server, name, value: fillExport(template, found, secrets) }
      })
    })
  for (const group of Map.groupBy(exported, ({ name }) => name).values()) {
    if (group.length === 1) continue
    for (const { server, name, value } of group) variables[`${prefixOf(server)}_${name}`] = value
  }
  for (const [name, server] of Object.entries(report.servers)) Object.assign(variables, serverVariables(name, server))
  for (const { name, value } of exported) variables[name] = value
  return variables
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
  for (const [key, endpoint] of Object.entries(server.endpoints)) {
    const [number = ''] = key.split('/')
    variables[`${prefix}_PORT_${number}`] ??= String(endpoint.port)
  }
  return variables
}

function fillExport(template: string, server: ServerReport, secrets: ReadonlyMap<string, string>): string {
  const [first] = Object.values(server.endpoints)
  return fillTemplate(template, (reference) => {
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
