import { type ExportReference, exportReferences } from '../formats/export-template.ts'
import { TLS_FOLDER } from '../model/certificate.ts'
import { type FieldPath, type Fleet, type Port, portPath, type Server, usesCertificates } from '../model/fleet.ts'
import { isPublicName, listPublicNames } from '../model/public-names.ts'
import { withDomain } from '../model/server-names.ts'
import { checkBake } from './check-bake.ts'
import { checkFixedPorts, isSameAddress } from './check-fixed-ports.ts'
import { checkLending, checkStandby } from './check-lending.ts'
import { checkLife } from './check-life.ts'
import { type ReportMistake, suggest } from './document.ts'

/** What no single field can say: references between servers, ports that clash, circles. */
export function checkRelations(fleet: Fleet, report: ReportMistake): void {
  const guess = guessSparingly(fleet.servers.keys())
  for (const server of fleet.servers.values()) {
    checkDependencies(server, fleet, guess, report)
    checkOwnPorts(server, report)
    checkExports(server, report)
    checkTargets(server, fleet, report)
    checkReadySecrets(server, report)
    checkBake(server, report)
    checkLife(server, report)
    checkLending(server, report)
    checkClientCertificates(server, fleet, report)
  }
  checkCircles(fleet, report)
  checkStandby(fleet, report)
  checkFixedPorts(fleet, report)
  checkNames(fleet, report)
  checkPublicNames(fleet, report)
}

/** Guesses at what is meant take long where there are many names, and are of use for the first few mistakes. */
const MOST_GUESSES = 20
/** A longer list of servers hides the message. */
const MOST_LISTED = 20
const MOST_CIRCLES = 100
/** Of one template. */
const MOST_EXPORT_MISTAKES = 20

type Guess = (word: string, own: string) => string

function guessSparingly(names: Iterable<string>): Guess {
  const known = [...names]
  let count = 0
  return (word, own) => {
    if (count++ >= MOST_GUESSES) return ''
    const others = known.filter((name) => name !== own)
    const isListed = others.length > 0 && others.length <= MOST_LISTED
    return suggest(word, others, isListed ? `; there are: ${others.join(', ')}` : '')
  }
}

function checkDependencies(server: Server, fleet: Fleet, guess: Guess, report: ReportMistake): void {
  const seen = new Set<string>()
  server.dependsOn.forEach((dependency, index) => {
    const at: FieldPath = ['servers', server.name, 'dependsOn', index]
    if (dependency === server.name) report(at, `\`${server.name}\` cannot depend on itself`)
    else if (!fleet.servers.has(dependency)) {
      report(at, `there is no server \`${dependency}\`${guess(dependency, server.name)}`)
    } else if (seen.has(dependency)) report(at, `\`${dependency}\` is duplicated`)
    seen.add(dependency)
  })
}

/** Reports each circle once, at the dependency that closes it; of very many, the first. */
function checkCircles(fleet: Fleet, report: ReportMistake): void {
  for (const { server, index, names } of findCircles(fleet.servers, MOST_CIRCLES))
    report(['servers', server, 'dependsOn', index], `is a circle: ${names.join(' → ')}`)
}

/** One port may be published at several addresses. */
function checkOwnPorts(server: Server, report: ReportMistake): void {
  const seen = new Map<string, Port[]>()
  server.ports.forEach((port, index) => {
    const name = portName(port)
    const others = seen.get(name) ?? []
    const isTwice = others.some((other) => isSameAddress(other, port))
    if (isTwice) report(portPath(server, index), `the port ${name} is duplicated`)
    else seen.set(name, [...others, port])
  })
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
      const names = withDomain(alias, server).map((name) => name.toLowerCase())
      // One that repeats a name of its own server also gives that name to a command of this machine.
      const owner = names.map((name) => owners.get(name)).find((owner) => owner !== undefined && owner !== server.name)
      if (owner === undefined) for (const name of names) owners.set(name, server.name)
      else report(['servers', server.name, 'aliases', index], `\`${alias}\` is a name of \`${owner}\` already`)
    })
  }
}

/** A test that calls a site of this name would reach the server, and trust it. The file has to say that it wants this. */
function checkPublicNames({ servers, domain }: Fleet, report: ReportMistake): void {
  const rule = 'a name of the public internet, which a server has only with `publicNames: true`'
  for (const { server, name, at } of listPublicNames(servers.values()))
    if (!servers.get(server)?.publicNames) report(at, `\`${name}\` is ${rule}`)
  const closed = [...servers.values()].find((server) => !server.publicNames)
  if (isPublicName(domain) && closed !== undefined)
    report(['domain'], `\`${closed.hostname}\` is ${rule}; every name below test, example and internal is free`)
}

function checkExports(server: Server, report: ReportMistake): void {
  for (const [variable, template] of server.export) {
    const mistakes = exportReferences(template).map((reference) => findExportMistake(reference, server))
    const distinct = [...new Set(mistakes)].filter((mistake) => mistake !== undefined)
    for (const mistake of distinct.slice(0, MOST_EXPORT_MISTAKES))
      report(['servers', server.name, 'export', variable], mistake)
  }
}

function findExportMistake(reference: ExportReference, server: Server): string | undefined {
  switch (reference.kind) {
    case 'unknown':
      return `\${${reference.text}} is not known; there are \${endpoint.N}, \${host}, \${port.N}, \${hostname}, \${secret.NAME} and \${database}`
    case 'secret':
      return server.secrets.has(reference.name)
        ? undefined
        : `there is no secret \`${reference.name}\`; declare it in \`secrets\``
    case 'database':
      return server.lending.database === undefined ? '`${database}` needs the key `database`' : undefined
    case 'port':
    case 'endpoint':
      return server.ports.some((port) => matchesPort(port, reference))
        ? undefined
        : `there is no port ${reference.port} in \`ports\``
    case 'host':
      return server.ports.length > 0 ? undefined : '`${host}` needs a port in `ports`'
    case 'hostname':
      return undefined
  }
}

/** A check that logs in takes the password from a secret of its server. */
function checkReadySecrets(server: Server, report: ReportMistake): void {
  server.ready.forEach((check, index) => {
    for (const [field, value] of Object.entries(check)) {
      const secret = typeof value === 'object' && value !== null && 'secret' in value ? value.secret : undefined
      if (secret === undefined || server.secrets.has(String(secret))) continue
      const at = ['servers', server.name, 'ready', index, check.kind, field, 'secret']
      report(at, `there is no secret \`${secret}\`; declare it in \`secrets\``)
    }
  })
}

/** The certificate for clients is of the authority that a fleet with `tls` has. */
function checkClientCertificates(server: Server, fleet: Fleet, report: ReportMistake): void {
  if (usesCertificates(fleet)) return
  server.ready.forEach((check, index) => {
    if (check.kind !== 'https' || check.clientCertificate !== true) return
    const at = ['servers', server.name, 'ready', index, check.kind, 'clientCertificate']
    report(at, 'the fleet has a certificate for clients only if one of its servers has `tls`')
  })
}

function matchesPort(port: Port, reference: { port: number; protocol: string | undefined }): boolean {
  return port.container === reference.port && (reference.protocol === undefined || reference.protocol === port.protocol)
}

/** Reports two mounts or files at one path of a server. */
function checkTargets(server: Server, fleet: Fleet, report: ReportMistake): void {
  const taken = new Map<string, string>([
    ['/run/secrets', server.secrets.size > 0 ? 'the secrets' : ''],
    [TLS_FOLDER, usesCertificates(fleet) ? "the fleet's certificates" : ''],
    ['/var/run/docker.sock', server.unsafe.engineSocket ? "the engine's socket" : ''],
  ])
  const take = (to: string, what: string, at: FieldPath): void => {
    const path = to.replace(/(?<=.)\/+$/, '')
    const other = taken.get(path)
    if (other) report(at, `${path} is taken by ${other} already`)
    if (path === '/') report(at, 'cannot replace the root')
    taken.set(path, what)
  }
  for (const [index, mount] of server.mounts.entries())
    take(mount.to, 'another mount', ['servers', server.name, 'mounts', index])
  for (const [index, tmpfs] of server.tmpfs.entries())
    take(tmpfs.to, 'a tmpfs', ['servers', server.name, 'tmpfs', index])
}

interface Circle {
  /** The server whose dependency closes it. */
  readonly server: string
  /** Of that dependency in `dependsOn`. */
  readonly index: number
  /** The way around, with its first name at the end again. */
  readonly names: readonly string[]
}

type Servers = ReadonlyMap<string, Pick<Server, 'dependsOn'>>

/** The circles of more than one server, up to a limit. */
function findCircles(servers: Servers, most: number): readonly Circle[] {
  const circles: Circle[] = []
  const done = new Set<string>()
  for (const first of servers.keys()) if (!done.has(first)) followFrom(first, servers, done, circles, most)
  return circles
}

/** The way down is a list and not the stack: a chain may be as long as the file. */
function followFrom(first: string, servers: Servers, done: Set<string>, circles: Circle[], most: number): void {
  const trail = [first]
  /** Of each server on the trail, the dependency to follow next. */
  const next = new Map([[first, 0]])
  for (let name = trail.at(-1); name !== undefined; name = trail.at(-1)) {
    const index = next.get(name) ?? 0
    const dependency = servers.get(name)?.dependsOn[index]
    next.set(name, index + 1)
    if (dependency === undefined) {
      done.add(name)
      next.delete(name)
      trail.pop()
    } else if (!next.has(dependency)) {
      if (done.has(dependency)) continue
      trail.push(dependency)
      next.set(dependency, 0)
    } else if (dependency !== name && circles.length < most) {
      circles.push({ server: name, index, names: [...trail.slice(trail.indexOf(dependency)), dependency] })
    }
  }
}
