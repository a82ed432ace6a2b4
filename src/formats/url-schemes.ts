import type { Protocol } from './port-range.ts'

/** Schemes of URLs by the ready check that speaks their protocol: without TLS, and with it. */
export const schemesOfChecks: Readonly<Record<string, readonly [plain: string, secure: string]>> = {
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
export const schemesOfPorts: Readonly<Record<string, string>> = {
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
  '6380/tcp': 'rediss',
  '8080/tcp': 'http',
  '8443/tcp': 'https',
  '8883/tcp': 'mqtts',
  '27017/tcp': 'mongodb',
}

/** Other names of a scheme that people write. */
const otherNames: Readonly<Record<string, string>> = { postgres: 'postgresql', mariadb: 'mysql', valkey: 'redis' }

/** Ports of schemes that the tables above know only with another port, or not at all. */
const morePorts: Readonly<Record<string, string>> = { sip: '5060/udp', stun: '3478/udp' }

/** Checks that speak over UDP, or over both. */
export const checksOverUdp: ReadonlySet<string> = new Set([
  ...['coap', 'dns', 'kerberos', 'ntp', 'radius', 'sip', 'snmp', 'stun', 'tftp'],
])

/** Returns the scheme under its usual name, such as `postgresql` for `postgres`. */
export function usualScheme(scheme: string): string {
  return otherNames[scheme] ?? scheme
}

/** Returns the name of the protocol without TLS, such as `redis` for `rediss`. */
export function plainScheme(scheme: string): string {
  const usual = usualScheme(scheme)
  return Object.values(schemesOfChecks).find(([, secure]) => secure === usual)?.[0] ?? usual
}

/** Whether the scheme has TLS from the first byte on, as another scheme of the same protocol does not. */
export function isSecureScheme(scheme: string): boolean {
  return plainScheme(scheme) !== usualScheme(scheme) || scheme === 'https'
}

/** Returns the port that a URL with this scheme means when it names none; undefined when that is not known. */
export function defaultPort(scheme: string): { readonly port: number; readonly protocol: Protocol } | undefined {
  const usual = usualScheme(scheme)
  const key = morePorts[usual] ?? Object.keys(schemesOfPorts).find((one) => schemesOfPorts[one] === usual)
  if (key === undefined) return undefined
  const [port, protocol = 'tcp'] = key.split('/')
  return { port: Number(port), protocol: protocol as Protocol }
}
