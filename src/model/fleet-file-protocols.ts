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
  tls: optional(z.boolean(), 'Uses TLS from the first byte on. The certificate is not verified. Default: false.'),
  user: optional(word, 'User to log in as; requires `password`.'),
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
    name: optional(hostname, 'The name to look up. Default: the root, with any answer accepted.'),
    type: optional(z.enum(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']), 'Default: A.'),
  }),
  ftp: withLogin(at(fields)),
  httpProxy: withLogin(
    at({
      ...login,
      to: optional(
        place,
        'The host and port to connect to through the proxy, such as web.test:443. Without it, any answer to CONNECT is accepted.',
      ),
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
  radius: at({ secret: secret.describe('The secret that client and server share.') }),
  redis: at({
    ...fields,
    user: optional(word, 'User to log in as. Default: the password alone is sent.'),
  }).refine(rules.goesWith('user', 'password'), '`user` goes with `password`'),
  sip: at({}),
  smb: at({}),
  smtp: withLogin(at(fields)),
  snmp: at({ community: optional(secret, 'Default: `public`.') }),
  socks5: withLogin(
    at({
      ...login,
      to: optional(place, 'The host and port to connect to through the proxy. Without it, the handshake is enough.'),
    }),
  ),
  ssh: at({}),
  stun: at({}),
  tftp: at({ file: word.describe('A file that the server must have. Its first block is read.') }),
  xmpp: at({
    tls: fields.tls,
    domain: hostname.describe('The domain that the server must serve, such as example.test.'),
  }),
} as const satisfies { readonly [Name in ProtocolName]: z.ZodType<Omit<CheckOf<Name>, 'kind'>> }

const says: { readonly [Name in ProtocolName]: string } = {
  amqp: 'AMQP 0-9-1 (RabbitMQ): the server accepts the login and opens the virtual host; without `user`, it sends its greeting.',
  coap: 'CoAP over UDP: the server answers a ping.',
  dns: 'DNS over UDP: the server answers a query, with a record if `name` is given.',
  ftp: 'FTP: the server sends its greeting and accepts the login.',
  httpProxy: 'HTTP proxy: the proxy answers CONNECT and accepts the login.',
  imap: 'IMAP: the server sends its greeting and accepts the login.',
  kerberos: 'Kerberos: the KDC of the realm answers a request.',
  ldap: 'LDAP: the server accepts a bind.',
  memcached: 'memcached: the server reports its version.',
  mqtt: 'MQTT 3.1.1: the broker accepts the connection.',
  mysql: 'MySQL and MariaDB: the server accepts the login and answers a ping; without `user`, it sends its greeting.',
  nats: 'NATS: the server accepts the login and answers a ping.',
  ntp: 'NTP: the server reports the time, and that it is synchronised.',
  pop3: 'POP3: the server sends its greeting and accepts the login.',
  postgres:
    'PostgreSQL: the server accepts the login and is ready for a query; without `user`, it answers a startup message.',
  radius: 'RADIUS: the server answers Status-Server, signed with the secret.',
  redis: 'Redis and Valkey: the server answers PING and has loaded its data.',
  sip: 'SIP over UDP: the server answers OPTIONS with any status except 503.',
  smb: 'SMB 2 and 3: the server chooses a dialect.',
  smtp: 'SMTP: the server sends its greeting and accepts EHLO and the login.',
  snmp: 'SNMP v2c: the agent reports its name.',
  socks5: 'SOCKS5: the proxy accepts the handshake and the login.',
  ssh: 'SSH: the server sends its version and begins the key exchange.',
  stun: 'STUN over UDP: the server answers a binding request.',
  tftp: 'TFTP: the server sends the file. It answers from another port, so this check works only on the machine of the engine.',
  xmpp: 'XMPP: the server opens a stream for the domain and lists its features.',
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
