import { createHash, generateKeyPairSync, type KeyObject, randomBytes, type X509Certificate } from 'node:crypto'
import type { AuthorityFiles } from '../model/certificate.ts'
import {
  authorityExtensions,
  endEntityExtensions,
  type Issuer,
  type Span,
  signCertificate,
  signRevocationList,
} from './sign-certificate.ts'

export const DAY_MS = 24 * 3_600_000
const LIFE_MS = 30 * DAY_MS
/** Clocks of machines differ. */
const CLOCK_SKEW_MS = 3_600_000
/** So many serial numbers of an authority are revoked from its start on. */
const REVOKED_SERIALS = 64

export interface Authority extends Issuer {
  readonly fingerprint: string
  readonly fromMs: number
  readonly endsAtMs: number
  readonly files: AuthorityFiles
}

/** All that is kept of an authority, in PEM. */
export interface AuthorityMaterial {
  readonly certificate: string
  readonly revocationList: string
  readonly key: string
  readonly clientKey: string
  readonly clientCertificate: string
}

/** A new authority for a fleet, and its certificate for clients. */
export function makeAuthority(fleet: string, nowMs: number): AuthorityMaterial {
  const issuer = makeIssuer(`testfleet ${fleet} ${randomBytes(4).toString('hex')}`)
  const span = { fromMs: nowMs - CLOCK_SKEW_MS, untilMs: nowMs + LIFE_MS }
  const client = makeKeys()
  const extensions = endEntityExtensions(client.publicKey, 'client')
  const content = { ...span, serial: makeSerial(), commonName: `testfleet ${fleet} client`, ...client, extensions }
  return {
    key: exportKey(issuer.privateKey),
    certificate: signAuthority(issuer, issuer, span),
    revocationList: signRevocationList({ ...span, serials: revokedSerials(issuer.publicKey) }, issuer),
    clientKey: exportKey(client.privateKey),
    clientCertificate: signCertificate(content, issuer),
  }
}

export function signAuthority(subject: Omit<Issuer, 'privateKey'>, issuer: Issuer, span: Span): string {
  const extensions = authorityExtensions(subject.publicKey)
  return signCertificate({ ...subject, ...span, serial: makeSerial(), extensions }, issuer)
}

export function makeIssuer(commonName: string): Issuer {
  return { commonName, ...makeKeys() }
}

export function makeKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

export function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Serial numbers are positive, and of at most 20 bytes. */
export function makeSerial(): Buffer {
  return asSerial(randomBytes(16))
}

/**
 * The serial numbers that an authority's list has: a certificate that shall be revoked takes one of them, and no list
 * is ever out of date.
 */
export function revokedSerials(publicKey: KeyObject): Buffer[] {
  const key = publicKey.export({ type: 'spki', format: 'der' })
  return Array.from({ length: REVOKED_SERIALS }, (_, index) =>
    asSerial(createHash('sha256').update(key).update(`revoked ${index}`).digest().subarray(0, 16)),
  )
}

function asSerial(bytes: Buffer): Buffer {
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}
