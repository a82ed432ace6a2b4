/** `valid`, and the kinds of certificates that are wrong on purpose. */
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

/** What a server requests with `tls`. */
export interface ServerTls {
  readonly certificate: CertificateKind
  /** Names and addresses in addition to the server's own. */
  readonly names: readonly string[]
  /** The user's own key and certificate, used instead of one that the fleet's authority signs. */
  readonly own?: OwnCertificate | undefined
  /** User that owns the key, or undefined for the user that the server runs as. */
  readonly owner: string | undefined
}

/** The user's own files, in PEM. */
export interface OwnCertificate {
  readonly certificate: OwnCertificateFile
  readonly key: OwnCertificateFile
  /** Authorities, besides the fleet's, by which the server verifies its clients. */
  readonly ca?: OwnCertificateFile | undefined
}

export interface OwnCertificateFile {
  /** Absolute path. It is in `folder`, the fleet's folder, unless it may be outside it. */
  readonly path: string
  readonly folder: string
  readonly mayLeave: boolean
}

/** Largest size of a certificate, key or authorities file. */
export const MAX_CERTIFICATE_BYTES = 256 * 1024

/** Which certificate authority a container was given, without any secret part. */
export interface AuthorityRecord {
  /** SHA-256 of the authority's certificate, in lower-case hex. */
  readonly fingerprint: string
  readonly endsAtMs: number
}

/** The parts of the fleet's authority that every server is given, in PEM. */
export interface AuthorityFiles {
  readonly certificate: string
  readonly revocationList: string
  /** File name under which OpenSSL looks for the authority in a folder of authorities. */
  readonly hashName: string
}

/** The parts that only one server is given, in PEM. */
export interface ServerCertificate {
  readonly key: string
  /** The server's own certificate first, then the others that it sends. */
  readonly chain: string
  /** The intermediate certificate, when the server must not send it. */
  readonly intermediate: string | undefined
  /** Authorities, besides the fleet's, by which the server verifies its clients. */
  readonly authorities?: string | undefined
}

/** Where a container finds its key, its certificate and the fleet's authority. */
export const TLS_FOLDER = '/run/testfleet/tls'
