/** An image reference as Docker reads it: `[host/]path[:tag][@digest]`. */
export interface Reference {
  /** The registry; `docker.io` when the reference names none. */
  readonly host: string
  /** With `library/` in front for Docker's own images. */
  readonly path: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

const dockerHub = 'docker.io'

export function parseReference(text: string): Reference {
  const [named = '', digest] = split(text, text.indexOf('@'))
  // A colon before a slash belongs to the registry's port.
  const colon = named.lastIndexOf(':')
  const [name = '', tag] = split(named, colon > named.lastIndexOf('/') ? colon : -1)
  const [first = '', rest] = split(name, name.indexOf('/'))
  // Docker's rule: the first part is a host when it has a dot, a colon or a capital, or is localhost.
  const hasHost = rest !== undefined && (/[.:A-Z]/.test(first) || first === 'localhost')
  const host = hasHost ? first.replace(/^(index\.)?docker\.io$/, dockerHub) : dockerHub
  const path = hasHost ? rest : name
  return { host, path: host === dockerHub && !path.includes('/') ? `library/${path}` : path, tag, digest }
}

/** What a pull asks for: without a tag `latest`, as Docker does; the digest, where there is one, says all. */
export function formatPull(reference: Reference): { readonly fromImage: string; readonly tag: string } {
  return { fromImage: `${reference.host}/${reference.path}`, tag: reference.digest ?? reference.tag ?? 'latest' }
}

function split(text: string, at: number): [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
