import { createHash, hash, type KeyObject, sign, verify } from 'node:crypto'
import { isIP } from 'node:net'
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  readValues,
  sequence,
  set,
  tagged,
  tags,
} from '../formats/ber.ts'

/** Name and P-256 key of the signer. */
export interface Issuer {
  readonly commonName: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

export interface CertificateContent extends Span {
  readonly serial: Uint8Array
  readonly commonName: string
  readonly publicKey: KeyObject
  readonly extensions: readonly Uint8Array[]
}

const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const version3 = tagged(0xa0, integer(2))

/** Returns a signed certificate in PEM (RFC 5280, 4.1). */
export function signCertificate(content: CertificateContent, issuer: Issuer): string {
  const extensions = [...content.extensions, authorityKey(issuer.publicKey)]
  const unsigned = sequence(
    version3,
    integer(content.serial),
    ecdsaWithSha256,
    encodeName(issuer.commonName),
    sequence(time(content.fromMs), time(content.untilMs)),
    encodeName(content.commonName),
    content.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  )
  return toPem('CERTIFICATE', signed(unsigned, issuer))
}

export interface RevocationContent extends Span {
  readonly serials: readonly Uint8Array[]
}

/** Returns a signed revocation list in PEM (RFC 5280, 5.1). */
export function signRevocationList({ serials, fromMs, untilMs }: RevocationContent, issuer: Issuer): string {
  const revoked = serials.map((serial) => sequence(integer(serial), time(fromMs)))
  const unsigned = sequence(
    integer(1),
    ecdsaWithSha256,
    encodeName(issuer.commonName),
    time(fromMs),
    time(untilMs),
    sequence(...revoked),
    tagged(0xa0, sequence(authorityKey(issuer.publicKey), revocationListNumber())),
  )
  return toPem('X509 CRL', signed(unsigned, issuer))
}

/** Extracts the first revocation list of a text; undefined when this key has not signed it. */
export function readRevocationList(text: string, key: KeyObject): string | undefined {
  const [, lines = ''] = /-----BEGIN X509 CRL-----([\w+/=\s]*)-----END X509 CRL-----/.exec(text) ?? []
  const [list] = readValues(Buffer.from(lines, 'base64'))
  const [unsigned, , signature] = readValues(list?.content ?? Buffer.alloc(0))
  if (list === undefined || unsigned === undefined || signature === undefined) return undefined
  const isSigned = verify('sha256', sequence(unsigned.content), key, signature.content.subarray(1))
  return isSigned ? toPem('X509 CRL', sequence(list.content)) : undefined
}

function signed(unsigned: Buffer, { privateKey }: Issuer): Buffer {
  return sequence(unsigned, ecdsaWithSha256, bitString(sign('sha256', unsigned, privateKey)))
}

/** Returns the file name under which OpenSSL looks up a subject: a hash of its lower-case name with single spaces. */
export function hashNameOf(commonName: string): string {
  const hash = createHash('sha1').update(encodePart(commonName)).digest().readUInt32LE()
  return `${hash.toString(16).padStart(8, '0')}.0`
}

function encodeName(commonName: string): Buffer {
  return sequence(encodePart(commonName))
}

function encodePart(commonName: string): Buffer {
  return set(sequence(objectIdentifier('2.5.4.3'), tagged(tags.utf8String, commonName)))
}

/** Encodes a time to the second. From 2050 on, a year has four digits (RFC 5280, 4.1.2.5). */
function time(ms: number): Buffer {
  const date = new Date(ms)
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`
  return date.getUTCFullYear() < 2050 ? tagged(tags.utcTime, digits.slice(2)) : tagged(tags.generalizedTime, digits)
}

function toPem(title: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN ${title}-----\n${lines}-----END ${title}-----\n`
}

/** The extensions of certificates and revocation lists (RFC 5280, 4.2 and 5.2). */

const yes = tagged(tags.boolean, Buffer.from([0xff]))

/** Extensions of an authority that may sign revocation lists, and certificates for these names and their subdomains. */
export function authorityExtensions(key: KeyObject, names: readonly string[]): Buffer[] {
  return [constraints(yes), keyUsage(bitString(Buffer.from([0x06]), 1)), subjectKey(key), nameConstraints(names)]
}

/** Permits subdomains only for names of several labels: a server `app` would otherwise permit the whole domain .app. */
function nameConstraints(names: readonly string[]): Buffer {
  const hosts = names.filter((name) => isIP(name) === 0).map((name) => name.replace(/^\*\./, ''))
  const addresses = names.filter((name) => isIP(name) !== 0).map(addressBytes)
  const subtrees = [
    ...hosts.map((name) => sequence(tagged(0x82, name))),
    ...addresses.map((bytes) => sequence(tagged(0x87, bytes, Buffer.alloc(bytes.length, 0xff)))),
  ]
  const excluded = hosts.filter((name) => !name.includes('.')).map((name) => sequence(tagged(0x82, `.${name}`)))
  const content = excluded.length === 0 ? [] : [tagged(0xa1, ...excluded)]
  return extension('2.5.29.30', sequence(tagged(0xa0, ...subtrees), ...content), 'critical')
}

const purposes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const

/**
 * Extensions of a server or client certificate. An RSA key may also encrypt the other side's key, as old versions of
 * TLS need.
 */
export function endEntityExtensions(key: KeyObject, purpose: keyof typeof purposes): Buffer[] {
  const usage = key.asymmetricKeyType === 'rsa' ? bitString(Buffer.from([0xa0]), 5) : bitString(Buffer.from([0x80]), 7)
  const purposeList = sequence(objectIdentifier(purposes[purpose]))
  return [constraints(), keyUsage(usage), extension('2.5.29.37', purposeList), subjectKey(key)]
}

function constraints(...content: readonly Buffer[]): Buffer {
  return extension('2.5.29.19', sequence(...content), 'critical')
}

function keyUsage(bits: Buffer): Buffer {
  return extension('2.5.29.15', bits, 'critical')
}

function subjectKey(key: KeyObject): Buffer {
  return extension('2.5.29.14', octetString(keyIdentifier(key)))
}

function authorityKey(key: KeyObject): Buffer {
  return extension('2.5.29.35', sequence(tagged(0x80, keyIdentifier(key))))
}

export function alternativeNames(names: readonly string[]): Buffer {
  const encoded = names.map((name) =>
    isIP(name) === 0 ? tagged(0x82, Buffer.from(name)) : tagged(0x87, addressBytes(name)),
  )
  return extension('2.5.29.17', sequence(...encoded))
}

function revocationListNumber(): Buffer {
  return extension('2.5.29.20', integer(1))
}

function extension(identifier: string, value: Uint8Array, weight?: 'critical'): Buffer {
  const critical = weight === undefined ? Buffer.alloc(0) : yes
  return sequence(objectIdentifier(identifier), critical, octetString(value))
}

/** Any value that distinguishes keys is allowed (RFC 7093). */
function keyIdentifier(key: KeyObject): Buffer {
  return hash('sha256', key.export({ type: 'spki', format: 'der' }), 'buffer').subarray(0, 20)
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  // The URL parser also converts the dotted tail of a mapped address.
  const text = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const after = tail === undefined ? [] : groupsOf(tail)
  const missing = Array.from({ length: 8 - groupsOf(head).length - after.length }, () => '0')
  const groups = [...groupsOf(head), ...missing, ...after].map((group) => Number.parseInt(group, 16))
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}
