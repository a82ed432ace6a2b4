import { quote } from './protocols/conversation.ts'

interface Known {
  readonly name: string
  /** The check for this protocol, as the fleet file names it. */
  readonly check: string
}

const tls: Known = { name: 'TLS', check: '`https`, or `tls: true`' }
const http2: Known = { name: 'HTTP/2 alone', check: '`tcp`' }
const mysql: Known = { name: 'the protocol of MySQL', check: '`mysql`' }

/** How servers begin to speak, independent of the request. */
const beginnings: readonly (readonly [RegExp, Known])[] = [
  [/^HTTP\/1\./, { name: 'HTTP', check: '`http`' }],
  [/^SSH-/, { name: 'SSH', check: '`ssh`' }],
  [/^AMQP/, { name: 'AMQP', check: '`amqp`' }],
  [/^INFO \{/, { name: 'the protocol of NATS', check: '`nats`' }],
  [/^-(?:ERR|NOAUTH|DENIED|LOADING)\b/, { name: 'the protocol of Redis', check: '`redis`' }],
  [/^ERROR\r\n/, { name: 'the protocol of memcached', check: '`memcached`' }],
  [/^\* (?:OK|PREAUTH|BYE)\b/, { name: 'IMAP', check: '`imap`' }],
  [/^\+OK\b/, { name: 'POP3', check: '`pop3`' }],
  [/^220[ -].*ftp/i, { name: 'FTP', check: '`ftp`' }],
  [/^220[ -].*smtp/i, { name: 'SMTP', check: '`smtp`' }],
  [/^220[ -]/, { name: 'SMTP or FTP', check: '`smtp` or `ftp`' }],
  [/^E.{4}S(?:FATAL|ERROR)/s, { name: 'the protocol of PostgreSQL', check: '`postgres`' }],
]

const SETTINGS_FRAME = 4
const MYSQL_GREETING = 10

/** Returns the protocol that a server speaks, by its first bytes, or undefined for an unknown one. */
export function nameProtocol(said: Buffer): Known | undefined {
  const [first = 0, second, , fourth, fifth] = said
  // A record of a handshake or an alert (RFC 8446, 5.1).
  if (first >= 0x14 && first <= 0x17 && second === 3) return tls
  // A frame of the connection itself (RFC 9113, 4.1).
  if (first === 0 && fourth === SETTINGS_FRAME && said.length >= 9 && said.readUInt32BE(5) === 0) return http2
  if (fourth === 0 && fifth === MYSQL_GREETING && said.includes('.')) return mysql
  const text = said.toString('latin1')
  return beginnings.find(([beginning]) => beginning.test(text))?.[1]
}

/** Describes an answer that is not HTTP/1. */
export function wordParseError(said: Buffer, message: string): string {
  const reason = message.replace(/^Parse Error: /, '')
  if (said.toString('latin1', 0, 5) === 'HTTP/') return `answers in HTTP/1 with a mistake (${reason})`
  const known = nameProtocol(said)
  if (known === undefined) return `does not speak HTTP/1: says ${quote(said)}`
  return `speaks ${known.name}, not HTTP/1: says ${quote(said)}`
}
