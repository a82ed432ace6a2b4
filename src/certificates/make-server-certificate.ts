import { generateKeyPair, randomInt } from 'node:crypto'
import { promisify } from 'node:util'
import type { CertificateKind, ServerCertificate } from '../model/certificate.ts'
import type { Server } from '../model/fleet.ts'
import {
  type Authority,
  DAY_MS,
  exportKey,
  makeIssuer,
  makeKeys,
  makeSerial,
  revokedSerials,
  signAuthority,
} from './make-authority.ts'
import { alternativeNames, endEntityExtensions, type Issuer, type Span, signCertificate } from './sign-certificate.ts'

/** A common name has at most so many characters (RFC 5280, A.1). */
const MAX_COMMON_NAME_LENGTH = 64
/** Too short for OpenSSL at its security level 2, and long enough for a server to work with. */
const WEAK_BITS = 1024
const WRONG_NAME = 'wrong-name.invalid'

export interface CertificateWish {
  readonly kind: CertificateKind
  /** Host names and IP addresses; the first is the server's own. */
  readonly names: readonly string[]
}

/** A new key, and the certificate for it: good as long as the authority is, or wrong in the way that is asked for. */
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
  const above = issuer === authority ? undefined : signAbove(kind, issuer, authority)
  return {
    key: exportKey(keys.privateKey),
    chain: kind === 'unknownCa' ? own + above : own,
    intermediate: kind === 'missingIntermediate' ? above : undefined,
  }
}

function issuerFor(kind: CertificateKind, authority: Authority): Issuer {
  if (kind === 'unknownCa') return makeIssuer('testfleet, an authority that nobody knows')
  return kind === 'missingIntermediate' ? makeIssuer('testfleet, an intermediate authority') : authority
}

/** The certificate of the one that has signed, when that is not the fleet's authority. */
function signAbove(kind: CertificateKind, issuer: Issuer, authority: Authority): string {
  const span = { fromMs: authority.fromMs, untilMs: authority.endsAtMs }
  return signAuthority(issuer, kind === 'unknownCa' ? issuer : authority, span)
}

/** What is not valid yet does not become so as long as its authority lives. */
function spanFor(kind: CertificateKind, { fromMs, endsAtMs }: Authority): Span {
  if (kind === 'expired') return { fromMs: fromMs - 2 * DAY_MS, untilMs: fromMs - DAY_MS }
  if (kind === 'notYetValid') return { fromMs: endsAtMs, untilMs: endsAtMs + DAY_MS }
  return { fromMs, untilMs: endsAtMs }
}

function pickRevoked({ publicKey }: Authority): Buffer {
  const serials = revokedSerials(publicKey)
  return serials[randomInt(serials.length)] ?? makeSerial()
}

/** Finding primes takes a while, in which others go on. */
function makeWeakKeys(): Promise<ReturnType<typeof makeKeys>> {
  return promisify(generateKeyPair)('rsa', { modulusLength: WEAK_BITS })
}

/** All the names and addresses by which a server is reached that can be known before it runs. */
export function serverNames(server: Server, engineHost: string | undefined): string[] {
  const addresses = server.ports.flatMap(({ address }) => address ?? [])
  const names = [
    server.hostname,
    server.name,
    ...server.aliases,
    'localhost',
    ...(server.tls?.names ?? []),
    '127.0.0.1',
    '::1',
    ...addresses.filter((address) => address !== '0.0.0.0' && address !== '::'),
    engineHost,
  ]
  return [...new Set(names)].filter((name) => name !== undefined)
}
