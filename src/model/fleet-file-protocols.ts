import * as z from 'zod'
import * as grammar from '../formats/grammar.ts'
import * as rules from './fleet-file-rules.ts'
import { type CheckOf, type ProtocolName, protocolNames } from './protocols.ts'

/**
 * Ready checks that speak a server's own protocol. The schema of each, by the key that asks for it in the fleet file:
 * its fields are the one source of its type, its JSON Schema and its place in the reference.
 */

export function optional<Schema extends z.ZodType>(schema: Schema, what: string) {
  return schema.optional().describe(what)
}

export const port = z.int().min(1, 'must be a port from 1 to 65535').max(65535, 'must be a port from 1 to 65535')
const word = z
  .string()
  .min(1)
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern excludes control characters
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must be one line with no control characters')
  .refine(grammar.isWholeText, 'cannot hold half of a character (a lone surrogate)')
const secret = z
  .strictObject({
    secret: z.string().regex(grammar.SECRET, 'must be the name of a secret').describe('A secret of this server.'),
  })
  .describe('`{ secret: NAME }`: one of the secrets of this server.')
const hostname = z.string().regex(grammar.HOSTNAME, { error: 'must be a host name in lower case', abort: true })

const fields = {
  tls: optional(z.boolean(), 'Over TLS from the first byte on; the certificate is not verified. Default: false.'),
  user: optional(word, 'Log in as this user; with `password`.'),
  password: secret.optional(),
}
const login = { user: fields.user, password: fields.password }

const place = z
  .string()
  .regex(/^[a-z0-9.-]{1,253}:\d{1,5}$/, { error: 'must be a host and a port, such as web.test:80', abort: true })
  .refine(rules.hasValidPort, 'must have a port from 1 to 65535')

/** Returns the schema of a check: its port and its further fields. */
export function at<Fields extends z.core.$ZodLooseShape>(more: Fields) {
  return z.strictObject({ port: port.describe('The port that the server listens at.'), ...more })
}

interface Login {
  readonly user?: string | undefined
  readonly password?: object | undefined
}

function withLogin<Schema extends z.ZodType<Login>>(schema: Schema): Schema {
  return schema.refine(rules.bothOrNeither('user', 'password'), 'needs both of `user` and `password`, or neither')
}

const schemas = {
  amqp: withLogin(at({ ...fields, vhost: optional(word, 'The virtual host to open. Default: /.') })).refine(
    rules.goesWith('vhost', 'user'),
    '`vhost` goes with `user`',
  ),
  coap: at({}),
  dns: at({
    name: optional(hostname, 'The name to ask for. Default: the root, and any answer will do.'),
    type: optional(z.enum(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']), 'Default: A.'),
  }),
  ftp: withLogin(at(fields)),
  httpProxy: withLogin(
    at({
      ...login,
      to: optional(place, 'Where it must lead to, such as web.test:443. Without it, any answer to CONNECT will do.'),
    }),
  ),
  imap: withLogin(at(fields)),
  kerberos: at({ realm: word.describe('The realm, such as EXAMPLE.TEST.') }),
  ldap: withLogin(
    at({
      tls: fields.tls,
      user: optional(word, 'The distinguished name to bind as. Default: anonymously.'),
      password: fields.password,
    }),
  ),
  memcached: at({}),
  mqtt: withLogin(at(fields)),
  mysql: withLogin(at(login)),
  nats: withLogin(at(login)),
  ntp: at({}),
  pop3: withLogin(at(fields)),
  postgres: withLogin(at({ ...login, database: optional(word, "Default: the user's name.") })).refine(
    rules.goesWith('database', 'user'),
    '`database` goes with `user`',
  ),
  radius: at({ secret: secret.describe('What client and server share.') }),
  redis: at({
    ...fields,
    user: optional(word, 'Log in as this user. Default: with the password alone.'),
  }).refine(rules.goesWith('user', 'password'), '`user` goes with `password`'),
  sip: at({}),
  smb: at({}),
  smtp: withLogin(at(fields)),
  snmp: at({ community: optional(secret, 'Default: `public`.') }),
  socks5: withLogin(at({ ...login, to: optional(place, 'Where it must lead to. Without it, the handshake will do.') })),
  ssh: at({}),
  stun: at({}),
  tftp: at({ file: word.describe('A file that it must have; its first block is read.') }),
  xmpp: at({ tls: fields.tls, domain: hostname.describe('The domain that it must serve, such as example.test.') }),
} as const satisfies { readonly [Name in ProtocolName]: z.ZodType<Omit<CheckOf<Name>, 'kind'>> }

const says: { readonly [Name in ProtocolName]: string } = {
  amqp: 'AMQP 0-9-1 (RabbitMQ): the server takes the login and opens the virtual host; without `user`, it greets.',
  coap: 'CoAP over UDP: the server answers a ping.',
  dns: 'DNS over UDP: the server answers a question, with a record where a name is asked for.',
  ftp: 'FTP: the server greets, and takes the login.',
  httpProxy: 'An HTTP proxy answers CONNECT, and takes the login.',
  imap: 'IMAP: the server greets, and takes the login.',
  kerberos: 'Kerberos: the KDC of the realm answers a request.',
  ldap: 'LDAP: the server takes a bind.',
  memcached: 'memcached: the server reports its version.',
  mqtt: 'MQTT 3.1.1: the broker accepts the connection.',
  mysql: 'MySQL and MariaDB: the server takes the login and answers a ping; without `user`, it greets.',
  nats: 'NATS: the server takes the login, and answers a ping.',
  ntp: 'NTP: the server reports the time, and that it is synchronised.',
  pop3: 'POP3: the server greets, and takes the login.',
  postgres: 'PostgreSQL: the server takes the login and is ready for a query; without `user`, it answers a start.',
  radius: 'RADIUS: the server answers Status-Server, signed with the secret.',
  redis: 'Redis and Valkey: the server answers PING, and does not still load its data.',
  sip: 'SIP over UDP: the server answers OPTIONS, with anything but 503.',
  smb: 'SMB 2 and 3: the server chooses a dialect.',
  smtp: 'SMTP: the server greets, and takes EHLO and the login.',
  snmp: 'SNMP v2c: the agent reports its name.',
  socks5: 'SOCKS5: the proxy takes the handshake, and the login.',
  ssh: 'SSH: the server says its version and begins the key exchange.',
  stun: 'STUN over UDP: the server answers a binding request.',
  tftp: 'TFTP: the server sends the file. It answers from another port, which only this very machine can hear.',
  xmpp: 'XMPP: the server opens a stream for the domain, and lists what it offers.',
}

/** Protocols whose checks need more than a port. */
type Demanding = {
  [Name in ProtocolName]: { port: number } extends z.input<(typeof schemas)[Name]> ? never : Name
}[ProtocolName]
type Modest = Exclude<ProtocolName, Demanding>

type ReadyKeys = {
  [Name in Modest]: z.ZodOptional<z.ZodUnion<[typeof port, (typeof schemas)[Name]]>>
} & { [Name in Demanding]: z.ZodOptional<(typeof schemas)[Name]> }

/** The keys of an item of `ready`. */
export const protocolKeys = Object.fromEntries(
  protocolNames.map((name) => {
    const schema = schemas[name]
    const isModest = schema.safeParse({ port: 1 }).success
    return [name, optional(isModest ? z.union([port, schema]) : schema, says[name])]
  }),
) as unknown as ReadyKeys
