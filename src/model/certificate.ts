/** `valid`, and those that are wrong on purpose. */
export const certificateKinds = [
  'valid',
  'expired',
  'notYetValid',
  'wrongName',
  'unknownCa',
  'revoked',
  'weakKey',
  'missingIntermediate',
] as const
export type CertificateKind = (typeof certificateKinds)[number]

/** What a server asks for with `tls`. */
export interface ServerTls {
  readonly certificate: CertificateKind
  /** More names and addresses than those that it has anyway. */
  readonly names: readonly string[]
  /** Who the key belongs to; undefined: whoever the server runs as. */
  readonly owner: string | undefined
}

/** Which certificate authority a container was given: all that may be known of it where nothing is secret. */
export interface AuthorityRecord {
  /** SHA-256 of its certificate, in lower-case hex. */
  readonly fingerprint: string
  readonly endsAtMs: number
}

/** What all servers of a fleet are given of its authority, in PEM. */
export interface AuthorityFiles {
  readonly certificate: string
  readonly revocationList: string
  /** The name under which OpenSSL looks for it in a folder of authorities. */
  readonly hashName: string
}

/** What one server is given for itself, in PEM. */
export interface ServerCertificate {
  readonly key: string
  /** Its own first, then those that are sent with it. */
  readonly chain: string
  /** The one between it and the authority, where that is kept back. */
  readonly intermediate: string | undefined
}

/** Where a container finds its key and certificate, and the fleet's authority. */
export const TLS_FOLDER = '/run/testfleet/tls'
