import type { Protocol } from '../formats/port-range.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import type { Endpoint } from '../model/running.ts'

/** Schemes of URLs by the ready check that speaks their protocol: without TLS, and with it. */
const ofCheck: Readonly<Record<string, readonly [plain: string, secure: string]>> = {
  amqp: ['amqp', 'amqps'],
  coap: ['coap', 'coaps'],
  dns: ['dns', 'dns'],
  ftp: ['ftp', 'ftps'],
  http: ['http', 'https'],
  https: ['https', 'https'],
  httpProxy: ['http', 'https'],
  imap: ['imap', 'imaps'],
  ldap: ['ldap', 'ldaps'],
  mqtt: ['mqtt', 'mqtts'],
  mysql: ['mysql', 'mysql'],
  nats: ['nats', 'nats'],
  pop3: ['pop3', 'pop3s'],
  postgres: ['postgresql', 'postgresql'],
  redis: ['redis', 'rediss'],
  sip: ['sip', 'sips'],
  smb: ['smb', 'smb'],
  smtp: ['smtp', 'smtps'],
  snmp: ['snmp', 'snmp'],
  socks5: ['socks5', 'socks5'],
  ssh: ['ssh', 'ssh'],
  stun: ['stun', 'stuns'],
  tftp: ['tftp', 'tftp'],
}

/** Schemes of ports that are used for one protocol only. */
const ofPort: Readonly<Record<string, string>> = {
  '21/tcp': 'ftp',
  '22/tcp': 'ssh',
  '25/tcp': 'smtp',
  '53/tcp': 'dns',
  '53/udp': 'dns',
  '69/udp': 'tftp',
  '80/tcp': 'http',
  '110/tcp': 'pop3',
  '143/tcp': 'imap',
  '161/udp': 'snmp',
  '389/tcp': 'ldap',
  '443/tcp': 'https',
  '445/tcp': 'smb',
  '465/tcp': 'smtps',
  '636/tcp': 'ldaps',
  '990/tcp': 'ftps',
  '993/tcp': 'imaps',
  '995/tcp': 'pop3s',
  '1080/tcp': 'socks5',
  '1883/tcp': 'mqtt',
  '3306/tcp': 'mysql',
  '4222/tcp': 'nats',
  '5432/tcp': 'postgresql',
  '5671/tcp': 'amqps',
  '5672/tcp': 'amqp',
  '5683/udp': 'coap',
  '6379/tcp': 'redis',
  '8080/tcp': 'http',
  '8443/tcp': 'https',
  '8883/tcp': 'mqtts',
  '27017/tcp': 'mongodb',
}

/** Checks that speak over UDP, or over both. */
const overUdp = new Set(['coap', 'dns', 'kerberos', 'ntp', 'radius', 'sip', 'snmp', 'stun', 'tftp'])

/**
 * Returns the URL of a port, without a user, a password or a path. Its scheme is that of the ready check of the port, or
 * else the usual one of the port's number, or else the transport protocol, such as `tcp`.
 *
 * @param key `<port>/<protocol>` of the server, such as `5432/tcp`.
 */
export function toUrl({ host, port }: Endpoint, key: string, checks: readonly ReadyCheck[]): string {
  const [number, protocol] = splitKey(key)
  const scheme = checks.map((check) => schemeOf(check, number, protocol)).find(Boolean) ?? ofPort[key] ?? protocol
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

export function splitKey(key: string): [port: number, protocol: Protocol] {
  const [port, protocol = 'tcp'] = key.split('/')
  return [Number(port), protocol as Protocol]
}

function schemeOf(check: ReadyCheck, port: number, protocol: Protocol): string | undefined {
  if (!('port' in check) || check.port !== port) return undefined
  const isUdp = overUdp.has(check.kind)
  if (check.kind !== 'dns' && isUdp !== (protocol === 'udp')) return undefined
  const [plain, secure] = ofCheck[check.kind] ?? []
  return 'tls' in check && check.tls === true ? secure : plain
}
