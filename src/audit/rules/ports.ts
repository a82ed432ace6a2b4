import type { Port } from '../../model/fleet.ts'
import { eachServer, type OwnSighting } from '../each.ts'
import type { Place } from '../subject.ts'

/** What speaks in plain text at its usual port. */
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

/** Who can reach what is published. */
export const findPorts = eachServer(function* ({ name, ports }) {
  for (const [index, port] of ports.entries()) yield* lookAt(port, { value: ['servers', name, 'ports', index] })
})

function* lookAt(port: Port, at: Place): Iterable<OwnSighting> {
  const { container, protocol, host, address } = port
  const isOpen = address !== undefined && !isLoopback(address)
  if (isOpen) {
    yield { id: 'port-off-loopback', at, message: `port ${container} listens at ${address}` }
    const spoken = plaintext[container]
    if (spoken !== undefined)
      yield { id: 'plaintext-off-loopback', at, message: `${spoken} at port ${container} listens at ${address}` }
  }
  if (container === ENGINE_PORT && protocol === 'tcp') {
    const message = `port ${container} is that of a container engine without TLS`
    yield { id: 'engine-port', at, message, severity: isOpen ? 'critical' : 'high' }
  }
  if (host !== undefined && host < 1024)
    yield { id: 'low-host-port', at, message: `port ${container} takes port ${host} of this machine` }
}

function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^(?:0{1,4}:){7}0{0,3}1$|^::ffff:127\./i.test(address)
}
