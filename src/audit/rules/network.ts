import { MOST_PORTS } from '../../formats/port-range.ts'
import { type Port, portPath, type Server } from '../../model/fleet.ts'
import { isPublicName, listPublicNames } from '../../model/public-names.ts'
import { aliasesOf } from '../../model/server-names.ts'
import type { Place, Sighting, Subject } from '../subject.ts'
import { eachServer, type OwnSighting } from '../walk.ts'

/** Plain-text protocols by their usual ports. */
const plaintext: Readonly<Record<number, string>> = {
  21: 'FTP',
  23: 'Telnet',
  25: 'SMTP',
  69: 'TFTP',
  80: 'HTTP',
  110: 'POP3',
  143: 'IMAP',
  161: 'SNMP',
  389: 'LDAP',
  512: 'rexec',
  513: 'rlogin',
  514: 'rsh and syslog',
  1433: 'SQL Server',
  1521: 'Oracle',
  1883: 'MQTT',
  2049: 'NFS',
  2181: 'ZooKeeper',
  2379: 'etcd',
  3306: 'MySQL',
  4222: 'NATS',
  5432: 'PostgreSQL',
  5672: 'AMQP',
  5900: 'VNC',
  6379: 'Redis',
  8080: 'HTTP',
  9042: 'Cassandra',
  9092: 'Kafka',
  9200: 'Elasticsearch',
  11211: 'memcached',
  27017: 'MongoDB',
}
const ENGINE_PORT = 2375

/** Reports published ports that other machines can reach. */
const findPorts = eachServer(function* (server) {
  for (const [index, port] of server.ports.entries()) yield* lookAt(port, { value: portPath(server, index) })
})

function* lookAt(port: Port, at: Place): Iterable<OwnSighting> {
  const { container, protocol, host, address } = port
  const isOpen = address !== undefined && !isLoopback(address)
  if (isOpen) {
    yield { id: 'port-off-loopback', at, message: `port ${container} listens on ${address}` }
    const spoken = plaintext[container]
    if (spoken !== undefined)
      yield { id: 'plaintext-off-loopback', at, message: `${spoken} at port ${container} listens on ${address}` }
  }
  if (container === ENGINE_PORT && protocol === 'tcp') {
    const message = `port ${container} is that of a container engine without TLS`
    yield { id: 'engine-port', at, message, severity: isOpen ? 'critical' : 'high' }
  }
  if (host !== undefined && host < 1024)
    yield { id: 'low-host-port', at, message: `port ${container} takes port ${host} of this machine` }
}

/** Reports FTP servers whose data ports clients cannot reach: clients use the port number that the server announces. */
const findFtpDataPorts = eachServer(function* (server) {
  const control = new Set(server.ready.flatMap((check) => (check.kind === 'ftp' ? [check.port] : [])))
  const ports = server.ports.filter(({ protocol }) => protocol === 'tcp')
  if (!ports.some(({ container }) => control.has(container))) return
  const own = ports.filter(({ container, host }) => host === container && !control.has(container))
  const wanted = listFtpDataPorts(server)
  const missing = wanted.filter((port) => !own.some(({ container }) => container === port))
  const at = { key: ['servers', server.name, 'ports'] }
  const id = 'ftp-data-ports-not-published'
  if (missing.length > 0)
    yield {
      id,
      at,
      message: `data ports not published under their own numbers: ${missing.length} of ${wanted[0]} to ${wanted.at(-1)}`,
    }
  else if (own.length === 0) yield { id, at, message: 'no data port is published under its own number' }
})

/** Returns the data ports of a preset's server, from these variables; none for a server without them. */
function listFtpDataPorts({ environment }: Server): number[] {
  const read = (name: string): number => {
    const value = environment.get(name)
    return value?.kind === 'text' ? Number(value.text) : 0
  }
  const first = read('FTP_FIRST_DATA_PORT')
  const count = first > 0 ? Math.min(read('FTP_DATA_PORTS'), MOST_PORTS) : 0
  return Array.from({ length: Math.max(count, 0) }, (_, index) => first + index)
}

function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^(?:0{1,4}:){7}0{0,3}1$|^::ffff:127\./i.test(address)
}

/** Well-known hosts from which builds and programs fetch trusted files. */
const wellKnown = new Set([
  ...['deb.debian.org', 'security.debian.org', 'archive.ubuntu.com', 'security.ubuntu.com', 'dl-cdn.alpinelinux.org'],
  ...['registry.npmjs.org', 'pypi.org', 'files.pythonhosted.org', 'rubygems.org', 'crates.io', 'static.crates.io'],
  ...['proxy.golang.org', 'sum.golang.org', 'repo.maven.apache.org', 'repo1.maven.org', 'github.com', 'gitlab.com'],
  ...['docker.io', 'registry-1.docker.io', 'auth.docker.io', 'ghcr.io', 'quay.io', 'metadata.google.internal'],
])

/** Reports names in `extraHosts` that hide other hosts. */
function* findShadowedHosts({ fleet }: Subject): Iterable<Sighting> {
  const owners = new Map<string, string>()
  for (const server of fleet.servers.values())
    for (const known of [server.name, server.hostname, ...aliasesOf(server)])
      owners.set(known.toLowerCase(), server.name)
  for (const server of fleet.servers.values()) {
    for (const [host, address] of server.extraHosts) {
      const owner = owners.get(host.toLowerCase())
      const isLoopback = host === 'localhost' && (address === '::1' || address.startsWith('127.'))
      const meant = owner === undefined ? wordWellKnown(host.toLowerCase()) : `is the server \`${owner}\` of this fleet`
      if (meant === undefined || isLoopback) continue
      const at = { value: ['servers', server.name, 'extraHosts', host] }
      yield { id: 'host-shadowed', server: server.name, at, message: `${host}, mapped to ${address}, ${meant}` }
    }
  }
}

function wordWellKnown(host: string): string | undefined {
  if (host === 'localhost') return 'is the server itself everywhere else'
  return wellKnown.has(host) ? 'is a place that programs trust' : undefined
}

function* findPublicNames({ fleet }: Subject): Iterable<Sighting> {
  for (const { server, name, at } of listPublicNames(fleet.servers.values()))
    yield { id: 'public-name', server, at: { value: at }, message: `it has the name ${name}` }
  if (!isPublicName(fleet.domain)) return
  yield {
    id: 'public-name',
    server: undefined,
    at: { value: ['domain'] },
    message: `all servers have names in ${fleet.domain}`,
  }
}

/** Reports exported variables that several servers share. */
function* findSharedVariables({ fleet }: Subject): Iterable<Sighting> {
  const exported = [...fleet.servers.values()].flatMap(({ name, export: own }) =>
    [...own.keys()].map((variable) => ({ server: name, variable })),
  )
  for (const [variable, group] of Map.groupBy(exported, (each) => each.variable)) {
    const [last = '', ...others] = group
      .map(({ server }) => server)
      .toSorted()
      .toReversed()
    const message = `${last} exports ${variable} too, and its value wins`
    for (const server of others)
      yield { id: 'variable-shared', server, at: { key: ['servers', server, 'export', variable] }, message }
  }
}

/** Reports exported variables that replace the caller's. */
const findReplacedVariables = eachServer(function* ({ name, export: exported, runs }, { callerVariables }) {
  for (const variable of exported.keys()) {
    // An external server whose URL is in this variable: it leads to the same server afterwards.
    if (runs.kind === 'external' && runs.from === variable) continue
    const at = { key: ['servers', name, 'export', variable] }
    const message = `${variable} is set in this environment, and a command under \`run\` gets the server's value`
    if (callerVariables.has(variable)) yield { id: 'variable-replaced', at, message }
  }
})

/** Reports what clients will refuse in the user's own certificate, which may be intended by a test. */
function* findUnfitCertificates({ fleet, certificates, nowMs }: Subject): Iterable<Sighting> {
  for (const [server, { shown, fromMs, untilMs, isValidFor }] of certificates) {
    const at = { value: ['servers', server, 'tls', 'certificate'] }
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
    if (untilMs < nowMs) yield { id: 'certificate-expired', server, at, message: `${shown} expired on ${day(untilMs)}` }
    if (fromMs > nowMs)
      yield { id: 'certificate-expired', server, at, message: `${shown} is not valid before ${day(fromMs)}` }
    const hostname = fleet.servers.get(server)?.hostname ?? server
    if (!isValidFor(hostname))
      yield { id: 'certificate-name', server, at, message: `${shown} is not valid for ${hostname}` }
  }
}

export const networkRules = [
  findPorts,
  findFtpDataPorts,
  findUnfitCertificates,
  findShadowedHosts,
  findPublicNames,
  findSharedVariables,
  findReplacedVariables,
]
