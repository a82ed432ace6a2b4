import { createHash, type KeyObject, sign } from 'node:crypto'
import { bitString, integer, objectIdentifier, sequence, set, tagged, tags } from '../formats/ber.ts'
import { authorityKey, revocationListNumber } from './extensions.ts'

/** Who signs: its name and its key, which is one of P-256. */
export interface Issuer {
  readonly commonName: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** When a certificate or a list is valid. */
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

/** A certificate in PEM (RFC 5280, 4.1). */
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

/** A list of revoked certificates in PEM (RFC 5280, 5.1). */
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

function signed(unsigned: Buffer, { privateKey }: Issuer): Buffer {
  return sequence(unsigned, ecdsaWithSha256, bitString(sign('sha256', unsigned, privateKey)))
}

/** The name of the file in which OpenSSL looks for the certificate of a subject: one in lower case, with single spaces. */
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

/** To the second. From 2050 on, a year has four digits (RFC 5280, 4.1.2.5). */
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
