import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

/** A client's certificate for a server that requests one, in PEM. */
export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

/** A ready check asks whether a server answers, however old its TLS is; tests verify its certificate. */
export function tlsOptions(
  servername: string,
  client?: ClientCertificate,
): ConnectionOptions & { readonly servername: string } {
  return {
    servername: isIP(servername) === 0 ? servername : '',
    rejectUnauthorized: false,
    // Loading the public authorities takes longer than the check.
    ca: [],
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
    ...client,
  }
}

const NO_TLS = 'does not speak TLS'

/** By OpenSSL's words for it. An alert is a message of the server. */
const words: readonly (readonly [RegExp, string])[] = [
  [/alert certificate required/i, 'requires a client certificate'],
  [/alert unknown ca/i, 'does not trust the authority of the client certificate'],
  [/alert certificate expired/i, 'refuses the client certificate as expired'],
  [/alert certificate revoked/i, 'refuses the client certificate as revoked'],
  [/alert (?:bad|unsupported|unknown) certificate|alert certificate unknown/i, 'refuses the client certificate'],
  [/alert handshake failure/i, 'refuses the TLS handshake: no cipher in common, or it requires a client certificate'],
  [/alert protocol version|unsupported protocol|version too low/i, 'speaks no version of TLS from 1.0 to 1.3'],
  [/no application protocol/i, 'speaks no HTTP/1 over TLS (ALPN)'],
  [/alert access denied/i, 'denies access in the TLS handshake'],
  [/alert internal error/i, 'reports an internal error in the TLS handshake'],
  [/dh key too small|ee key too small/i, 'has a key that is too small for TLS here'],
  [/wrong version number|packet length too long|unexpected message|record layer failure|bad record type/i, NO_TLS],
]

/** Says in plain words what went wrong in TLS; undefined for another kind of error. */
export function wordTlsError(error: unknown, servername: string): string | undefined {
  const { code = '', message, reason } = error as NodeJS.ErrnoException & { reason?: string }
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_')) return undefined
  const said = `${code} ${message}`.replaceAll('_', ' ')
  if (/unrecognized name/i.test(said)) return `serves no site of the name ${servername}`
  const known = words.find(([pattern]) => pattern.test(said))?.[1]
  return known ?? `fails in TLS: ${reason ?? message}`
}
