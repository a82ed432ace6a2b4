import { type ExportReference, exportReferences } from '../model/export-template.ts'
import type { FieldPath, Fleet, Port, Server } from '../model/fleet.ts'
import type { ReportMistake } from './document.ts'
import { findNearest } from './nearest.ts'

/** What no single field can say: references between servers, ports that clash, circles. */
export function checkRelations(fleet: Fleet, report: ReportMistake): void {
  for (const server of fleet.servers.values()) {
    checkDependencies(server, fleet, report)
    checkOwnPorts(server, report)
    checkExports(server, report)
    checkTargets(server, report)
  }
  checkCircles(fleet, report)
  checkFixedPorts(fleet, report)
  checkNames(fleet, report)
}

function checkDependencies(server: Server, fleet: Fleet, report: ReportMistake): void {
  server.dependsOn.forEach((dependency, index) => {
    const at: FieldPath = ['servers', server.name, 'dependsOn', index]
    if (dependency === server.name) report(at, `\`${server.name}\` cannot depend on itself`)
    else if (!fleet.servers.has(dependency)) {
      const nearest = findNearest(dependency, fleet.servers.keys())
      report(at, `there is no server \`${dependency}\`${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`)
    } else if (server.dependsOn.indexOf(dependency) !== index) report(at, `\`${dependency}\` stands here twice`)
  })
}

/** Reports each circle once, at the dependency that closes it. */
function checkCircles(fleet: Fleet, report: ReportMistake): void {
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[]): void => {
    if (done.has(name)) return
    const server = fleet.servers.get(name)
    server?.dependsOn.forEach((dependency, index) => {
      const start = [...trail, name].indexOf(dependency)
      if (start === -1) visit(dependency, [...trail, name])
      else if (dependency !== name) {
        const circle = [...trail, name].slice(start)
        report(['servers', name, 'dependsOn', index], `is a circle: ${[...circle, dependency].join(' → ')}`)
      }
    })
    done.add(name)
  }
  for (const name of fleet.servers.keys()) visit(name, [])
}

function checkOwnPorts(server: Server, report: ReportMistake): void {
  server.ports.forEach((port, index) => {
    const first = server.ports.findIndex(
      (other) => other.container === port.container && other.protocol === port.protocol,
    )
    if (first !== index)
      report(['servers', server.name, 'ports', index], `the port ${portName(port)} stands here twice`)
  })
}

function checkFixedPorts(fleet: Fleet, report: ReportMistake): void {
  const fixed = [...fleet.servers.values()].flatMap((server) =>
    server.ports.flatMap((port, index) => (port.host === undefined ? [] : [{ server, port, index, host: port.host }])),
  )
  fixed.forEach((one, position) => {
    const other = fixed.slice(0, position).find((earlier) => {
      const isSameAddress =
        earlier.port.address === one.port.address || isEverywhere(earlier.port) || isEverywhere(one.port)
      return earlier.host === one.host && earlier.port.protocol === one.port.protocol && isSameAddress
    })
    if (other === undefined) return
    report(
      ['servers', one.server.name, 'ports', one.index],
      `the port ${one.host} of this machine is taken by \`${other.server.name}\` already`,
    )
  })
}

function isEverywhere(port: Port): boolean {
  return port.address === '0.0.0.0' || port.address === '::'
}

function portName(port: Port): string {
  return `${port.container}/${port.protocol}`
}

/** Every name on the network leads to one server. */
function checkNames(fleet: Fleet, report: ReportMistake): void {
  const owners = new Map<string, string>()
  for (const server of fleet.servers.values()) {
    owners.set(server.name, server.name)
    owners.set(server.hostname, server.name)
  }
  for (const server of fleet.servers.values()) {
    server.aliases.forEach((alias, index) => {
      const owner = owners.get(alias)
      if (owner === undefined) owners.set(alias, server.name)
      else report(['servers', server.name, 'aliases', index], `\`${alias}\` is a name of \`${owner}\` already`)
    })
  }
}

function checkExports(server: Server, report: ReportMistake): void {
  for (const [variable, template] of server.export) {
    for (const reference of exportReferences(template)) {
      const mistake = findExportMistake(reference, server)
      if (mistake !== undefined) report(['servers', server.name, 'export', variable], mistake)
    }
  }
}

function findExportMistake(reference: ExportReference, server: Server): string | undefined {
  switch (reference.kind) {
    case 'unknown':
      return `\${${reference.text}} is not known; there are \${host}, \${port.N}, \${hostname} and \${secret.NAME}`
    case 'secret':
      return server.secrets.has(reference.name)
        ? undefined
        : `there is no secret \`${reference.name}\`; declare it in \`secrets\``
    case 'port':
      return server.ports.some((port) => matchesPort(port, reference))
        ? undefined
        : `there is no port ${reference.port} in \`ports\``
    case 'host':
      return server.ports.length > 0 ? undefined : '`${host}` needs a port in `ports`'
    case 'hostname':
      return undefined
  }
}

function matchesPort(port: Port, reference: { port: number; protocol: string | undefined }): boolean {
  return port.container === reference.port && (reference.protocol === undefined || reference.protocol === port.protocol)
}

/** Two things cannot stand at one path of a server. */
function checkTargets(server: Server, report: ReportMistake): void {
  const taken = new Map<string, string>([
    ['/run/secrets', server.secrets.size > 0 ? 'the secrets' : ''],
    ['/var/run/docker.sock', server.unsafe.engineSocket ? "the engine's socket" : ''],
  ])
  const take = (to: string, what: string, at: FieldPath): void => {
    const path = to.replace(/(?<=.)\/+$/, '')
    const other = taken.get(path)
    if (other) report(at, `${path} is taken by ${other} already`)
    if (path === '/') report(at, 'cannot stand in place of the root')
    taken.set(path, what)
  }
  for (const [index, mount] of server.mounts.entries())
    take(mount.to, 'another mount', ['servers', server.name, 'mounts', index])
  for (const [index, tmpfs] of server.tmpfs.entries())
    take(tmpfs.to, 'a tmpfs', ['servers', server.name, 'tmpfs', index])
}
