import type { FieldPath, Server } from './fleet.ts'

/**
 * Top-level domains that the internet does not have: reserved for such use (RFC 2606, 6761, 6762, 7686, 8375, 9476, and
 * ICANN for `internal`), or never to be delegated because many networks use them.
 */
const privateDomains = new Set([
  ...['alt', 'corp', 'docker', 'example', 'home', 'internal', 'intranet', 'invalid', 'lan', 'local', 'localdomain'],
  ...['localhost', 'mail', 'onion', 'private', 'test'],
])

const examples = /(?:^|\.)(?:example\.(?:com|net|org)|home\.arpa)$/

/** Returns whether a host name could be on the internet. Top-level domains are letters only, or begin with `xn--`. */
export function isPublicName(name: string): boolean {
  const labels = name.toLowerCase().split('.')
  const top = labels.at(-1) ?? ''
  return (
    labels.length > 1 &&
    /^(?:[a-z]{2,}|xn--.*)$/.test(top) &&
    !privateDomains.has(top) &&
    !examples.test(name.toLowerCase())
  )
}

export interface PublicName {
  readonly server: string
  readonly name: string
  readonly at: FieldPath
}

/** Returns the extra names of servers that could be sites of the internet. */
export function* listPublicNames(servers: Iterable<Pick<Server, 'name' | 'aliases' | 'tls'>>): Iterable<PublicName> {
  for (const { name: server, aliases, tls } of servers) {
    const lists = [
      { names: aliases, at: ['servers', server, 'aliases'] },
      { names: tls?.names ?? [], at: ['servers', server, 'tls', 'names'] },
    ]
    for (const { names, at } of lists)
      for (const [index, name] of names.entries()) if (isPublicName(name)) yield { server, name, at: [...at, index] }
  }
}
