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
  /** The user's own key and certificate, in place of what the fleet's authority signs. */
  readonly own?: OwnCertificate | undefined
  /** Who the key belongs to; undefined: whoever the server runs as. */
  readonly owner: string | undefined
}

/** Files of the user's own, in PEM. */
export interface OwnCertificate {
  readonly certificate: OwnCertificateFile
  readonly key: OwnCertificateFile
  /** The authorities that the server verifies its clients by, besides the fleet's. */
  readonly ca?: OwnCertificateFile | undefined
}

export interface OwnCertificateFile {
  /** Absolute; in `folder`, the fleet's, unless it may leave it. */
  readonly path: string
  readonly folder: string
  readonly mayLeave: boolean
}

/** The most that a file of a certificate, its key or authorities can have. */
export const MAX_CERTIFICATE_BYTES = 256 * 1024

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
  /** Authorities that the server verifies its clients by, besides the fleet's. */
  readonly authorities?: string | undefined
}

/** Where a container finds its key and certificate, and the fleet's authority. */
export const TLS_FOLDER = '/run/testfleet/tls'
