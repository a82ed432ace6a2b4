/** The keys in `ready` of the checks that speak a protocol. */
export const protocolNames = [
  'amqp',
  'coap',
  'dns',
  'ftp',
  'httpProxy',
  'imap',
  'kerberos',
  'ldap',
  'memcached',
  'mqtt',
  'mysql',
  'nats',
  'ntp',
  'pop3',
  'postgres',
  'radius',
  'redis',
  'sip',
  'smb',
  'smtp',
  'snmp',
  'socks5',
  'ssh',
  'stun',
  'tftp',
  'xmpp',
] as const

export type ProtocolName = (typeof protocolNames)[number]

interface SecretName {
  /** A secret of the server. */
  readonly secret: string
}

interface Login {
  readonly user?: string | undefined
  readonly password?: SecretName | undefined
}

interface Line {
  /** Counted from the first byte. */
  readonly tls?: boolean | undefined
}

interface Onward {
  /** `host:port` */
  readonly to?: string | undefined
}

/** Fields of each check besides the port, described in the fleet file's schema. Protocols without any are omitted. */
interface Fields {
  readonly amqp: Login & Line & { readonly vhost?: string | undefined }
  readonly dns: { readonly name?: string | undefined; readonly type?: RecordType | undefined }
  readonly ftp: Login & Line
  readonly httpProxy: Login & Onward
  readonly imap: Login & Line
  readonly kerberos: { readonly realm: string }
  readonly ldap: Login & Line
  readonly mqtt: Login & Line
  readonly mysql: Login
  readonly nats: Login
  readonly pop3: Login & Line
  readonly postgres: Login & { readonly database?: string | undefined }
  readonly radius: { readonly secret: SecretName }
  readonly redis: Login & Line
  readonly smtp: Login & Line
  readonly snmp: { readonly community?: SecretName | undefined }
  readonly socks5: Login & Onward
  readonly tftp: { readonly file: string }
  readonly xmpp: Line & { readonly domain: string }
}

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'NS' | 'PTR' | 'SOA' | 'SRV' | 'TXT'

export type CheckOf<Name extends ProtocolName> = {
  readonly kind: Name
  readonly port: number
} & (Name extends keyof Fields ? Fields[Name] : unknown)
export type ProtocolCheck = { [Name in ProtocolName]: CheckOf<Name> }[ProtocolName]
