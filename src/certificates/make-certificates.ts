import {
  createHash,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomInt,
  type X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { AuthorityFiles, CertificateKind, ServerCertificate } from '../model/certificate.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { isPublicName } from '../model/public-names.ts'
import { aliasesOf } from '../model/server-names.ts'
import {
  alternativeNames,
  authorityExtensions,
  endEntityExtensions,
  type Issuer,
  type Span,
  signCertificate,
  signRevocationList,
} from './sign-certificate.ts'

const DAY_MS = 24 * 3_600_000
const LIFE_MS = 30 * DAY_MS
/** Allowance for differing clocks. */
const CLOCK_SKEW_MS = 3_600_000
/** Number of serial numbers that a new authority revokes. */
const REVOKED_SERIALS = 64

export interface Authority extends Issuer {
  readonly fingerprint: string
  readonly fromMs: number
  readonly endsAtMs: number
  readonly files: AuthorityFiles
}

/** Stored files of an authority, in PEM. */
export interface AuthorityMaterial {
  readonly certificate: string
  readonly revocationList: string
  readonly key: string
  readonly clientKey: string
  readonly clientCertificate: string
}

/** Creates an authority restricted to these names of a fleet, and its client certificate. */
export function makeAuthority(fleet: string, names: readonly string[], nowMs: number): AuthorityMaterial {
  const issuer = makeIssuer(`testfleet ${fleet} ${randomBytes(4).toString('hex')}`)
  const span = { fromMs: nowMs - CLOCK_SKEW_MS, untilMs: nowMs + LIFE_MS }
  const client = makeKeys()
  const extensions = endEntityExtensions(client.publicKey, 'client')
  const content = { ...span, serial: makeSerial(), commonName: `testfleet ${fleet} client`, ...client, extensions }
  return {
    key: exportKey(issuer.privateKey),
    certificate: signAuthority(issuer, issuer, span, names),
    revocationList: signRevocationList({ ...span, serials: revokedSerials(issuer.publicKey) }, issuer),
    clientKey: exportKey(client.privateKey),
    clientCertificate: signCertificate(content, issuer),
  }
}

function signAuthority(
  subject: Omit<Issuer, 'privateKey'>,
  issuer: Issuer,
  span: Span,
  names: readonly string[],
): string {
  const extensions = authorityExtensions(subject.publicKey, names)
  return signCertificate({ ...subject, ...span, serial: makeSerial(), extensions }, issuer)
}

function makeIssuer(commonName: string): Issuer {
  return { commonName, ...makeKeys() }
}

function makeKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Serial numbers are positive, and of at most 20 bytes. */
function makeSerial(): Buffer {
  return asSerial(randomBytes(16))
}

/**
 * Returns the serial numbers in an authority's revocation list. They are fixed beforehand, so that the list is never
 * outdated: a certificate that is to be revoked gets one of them.
 */
function revokedSerials(publicKey: KeyObject): Buffer[] {
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

/** Longest common name, in characters (RFC 5280, A.1). */
const MAX_COMMON_NAME_LENGTH = 64
/** Too short for OpenSSL at security level 2, and still accepted by servers. */
const WEAK_BITS = 1024
const WRONG_NAME = 'wrong-name.invalid'

export interface CertificateWish {
  readonly kind: CertificateKind
  /** Host names and IP addresses; the first is the server's main name. */
  readonly names: readonly string[]
}

/** Creates a key and its certificate, which is valid as long as the authority, or invalid in the requested way. */
export async function makeServerCertificate(
  { kind, names }: CertificateWish,
  authority: Authority,
): Promise<ServerCertificate> {
  const keys = kind === 'weakKey' ? await makeWeakKeys() : makeKeys()
  const issuer = issuerFor(kind, authority)
  const subject = kind === 'wrongName' ? [WRONG_NAME] : names
  const own = signCertificate(
    {
      serial: kind === 'revoked' ? pickRevoked(authority) : makeSerial(),
      commonName: subject.find((name) => name.length <= MAX_COMMON_NAME_LENGTH) ?? 'server',
      publicKey: keys.publicKey,
      ...spanFor(kind, authority),
      extensions: [...endEntityExtensions(keys.publicKey, 'server'), alternativeNames(subject)],
    },
    issuer,
  )
  const above = issuer === authority ? undefined : signAbove(kind, issuer, authority, names)
  return {
    key: exportKey(keys.privateKey),
    chain: kind === 'unknownCa' ? own + above : own,
    intermediate: kind === 'missingIntermediate' ? above : undefined,
  }
}

function issuerFor(kind: CertificateKind, authority: Authority): Issuer {
  if (kind === 'unknownCa') return makeIssuer('testfleet unknown authority')
  return kind === 'missingIntermediate' ? makeIssuer('testfleet intermediate authority') : authority
}

/** Returns the certificate of an issuer that is not the fleet's authority. */
function signAbove(kind: CertificateKind, issuer: Issuer, authority: Authority, names: readonly string[]): string {
  const span = { fromMs: authority.fromMs, untilMs: authority.endsAtMs }
  return signAuthority(issuer, kind === 'unknownCa' ? issuer : authority, span, names)
}

/** A certificate that is not valid yet stays so for the whole lifetime of its authority. */
function spanFor(kind: CertificateKind, { fromMs, endsAtMs }: Authority): Span {
  if (kind === 'expired') return { fromMs: fromMs - 2 * DAY_MS, untilMs: fromMs - DAY_MS }
  if (kind === 'notYetValid') return { fromMs: endsAtMs, untilMs: endsAtMs + DAY_MS }
  return { fromMs, untilMs: endsAtMs }
}

function pickRevoked({ publicKey }: Authority): Buffer {
  const serials = revokedSerials(publicKey)
  return serials[randomInt(serials.length)] ?? makeSerial()
}

/** Asynchronous, because finding primes takes a while. */
function makeWeakKeys(): Promise<ReturnType<typeof makeKeys>> {
  return promisify(generateKeyPair)('rsa', { modulusLength: WEAK_BITS })
}

/** Returns all names and addresses that certificates of the fleet may contain, sorted. */
export function fleetNames(fleet: Fleet, engineHost: string | undefined): string[] {
  const servers = [...fleet.servers.values()].filter(({ tls }) => tls !== undefined)
  const names = servers.flatMap((server) => serverNames(server, engineHost))
  return [...new Set([fleet.domain, WRONG_NAME, ...names])].sort()
}

/** Returns all names and addresses of a server that are known before it runs. */
export function serverNames(server: Server, engineHost: string | undefined): string[] {
  const addresses = server.ports.flatMap(({ address }) => address ?? [])
  const names = [
    server.hostname,
    server.name,
    isOwnName(server) ? server.ownHostname : undefined,
    ...aliasesOf(server),
    'localhost',
    ...(server.tls?.names ?? []),
    '127.0.0.1',
    '::1',
    ...addresses.filter((address) => address !== '0.0.0.0' && address !== '::'),
    engineHost,
  ]
  return [...new Set(names)].filter((name) => name !== undefined)
}

/** Whether the server's host name is unique to it, or allowed by `publicNames`. */
function isOwnName({ ownHostname = '', publicNames }: Server): boolean {
  return publicNames || !isPublicName(ownHostname)
}
