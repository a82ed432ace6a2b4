/** What a `${…}` of an `export` template asks for. */
export type ExportReference =
  | { readonly kind: 'host' }
  | { readonly kind: 'hostname' }
  | { readonly kind: 'port'; readonly port: number; readonly protocol: string | undefined }
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'unknown'; readonly text: string }

/** It stops at the next `${`: one that is never closed is not looked for up to the end from each of a thousand. */
const REFERENCE = /\$\{((?:(?!\$\{)[^}])*)\}/g

export function exportReferences(template: string): ExportReference[] {
  return [...template.matchAll(REFERENCE)].map(([, text = '']) => parseReference(text))
}

/** Puts what `resolve` gives in place of each reference. */
export function fillTemplate(template: string, resolve: (reference: ExportReference) => string): string {
  return template.replaceAll(REFERENCE, (_, text: string) => resolve(parseReference(text)))
}

function parseReference(text: string): ExportReference {
  if (text === 'host' || text === 'hostname') return { kind: text }
  const port = /^port\.(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text)
  if (port !== null) return { kind: 'port', port: Number(port[1]), protocol: port[2] }
  const secret = /^secret\.(.+)$/.exec(text)
  if (secret?.[1] !== undefined) return { kind: 'secret', name: secret[1] }
  return { kind: 'unknown', text }
}
