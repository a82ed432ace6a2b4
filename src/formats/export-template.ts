/** What a `${…}` of an `export` template asks for. */
export type ExportReference =
  | { readonly kind: 'host' }
  | { readonly kind: 'hostname' }
  | { readonly kind: 'port'; readonly port: number; readonly protocol: string | undefined }
  /** Where the reader of the variable reaches the port: by name at its real number, else where it is published. */
  | {
      readonly kind: 'endpoint'
      readonly part: 'host' | 'port' | undefined
      readonly port: number
      readonly protocol: string | undefined
    }
  | { readonly kind: 'secret'; readonly name: string }
  /** The name of the server's database, or of the leased one. */
  | { readonly kind: 'database' }
  | { readonly kind: 'unknown'; readonly text: string }

/** It stops at the next `${`: one that is never closed is not looked for up to the end from each of a thousand. */
const REFERENCE = /\$\{((?:(?!\$\{)[^}])*)\}/g

export function exportReferences(template: string): ExportReference[] {
  return [...template.matchAll(REFERENCE)].map(([, text = '']) => parseReference(text))
}

/** Puts what `resolve` gives in place of each reference, percent-encoded where it is in the login of a URL. */
export function fillTemplate(template: string, resolve: (reference: ExportReference) => string): string {
  const login = loginEnd(template)
  return template.replaceAll(REFERENCE, (_, text: string, at: number) => {
    const value = resolve(parseReference(text))
    return at < login ? encodeURIComponent(value.toWellFormed()) : value
  })
}

/** Where the `user:password@` of a template that is a URL ends (RFC 3986), or 0 where it has none. */
export function loginEnd(template: string): number {
  return /^[a-z][a-z0-9+.:-]*:\/\/[^/?#]*@/i.exec(template)?.[0].length ?? 0
}

function parseReference(text: string): ExportReference {
  if (text === 'host' || text === 'hostname' || text === 'database') return { kind: text }
  const port = /^port\.(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text)
  if (port !== null) return { kind: 'port', port: Number(port[1]), protocol: port[2] }
  const endpoint = /^endpoint\.(?:(host|port)\.)?(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text)
  if (endpoint !== null) {
    const part = endpoint[1] as 'host' | 'port' | undefined
    return { kind: 'endpoint', part, port: Number(endpoint[2]), protocol: endpoint[3] }
  }
  const secret = /^secret\.(.+)$/.exec(text)
  if (secret?.[1] !== undefined) return { kind: 'secret', name: secret[1] }
  return { kind: 'unknown', text }
}
