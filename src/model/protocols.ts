/** The protocols that ready checks speak, and what carries each. */
const carriers = {
  amqp: 'tcp',
  coap: 'udp',
  dns: 'udp',
  ftp: 'tcp',
  httpProxy: 'tcp',
  imap: 'tcp',
  kerberos: 'udp',
  ldap: 'tcp',
  memcached: 'tcp',
  mqtt: 'tcp',
  mysql: 'tcp',
  nats: 'tcp',
  ntp: 'udp',
  pop3: 'tcp',
  postgres: 'tcp',
  radius: 'udp',
  redis: 'tcp',
  sip: 'udp',
  smtp: 'tcp',
  snmp: 'udp',
  socks5: 'tcp',
  ssh: 'tcp',
  stun: 'udp',
  tftp: 'udp',
} as const

/** The key in `ready` of a check that speaks a protocol. */
export type ProtocolName = keyof typeof carriers

export const protocolNames = Object.keys(carriers) as ProtocolName[]

export function isProtocol(kind: string): kind is ProtocolName {
  return Object.hasOwn(carriers, kind)
}
