import type { Sighting, Subject } from '../subject.ts'

/** Where builds and programs fetch what they trust. */
const wellKnown = new Set([
  ...['deb.debian.org', 'security.debian.org', 'archive.ubuntu.com', 'security.ubuntu.com', 'dl-cdn.alpinelinux.org'],
  ...['registry.npmjs.org', 'pypi.org', 'files.pythonhosted.org', 'rubygems.org', 'crates.io', 'static.crates.io'],
  ...['proxy.golang.org', 'sum.golang.org', 'repo.maven.apache.org', 'repo1.maven.org', 'github.com', 'gitlab.com'],
  ...['docker.io', 'registry-1.docker.io', 'auth.docker.io', 'ghcr.io', 'quay.io', 'metadata.google.internal'],
])

/** Names that a server would look for elsewhere. */
export function* findShadowedHosts({ fleet }: Subject): Iterable<Sighting> {
  const owners = new Map<string, string>()
  for (const { name, hostname, aliases } of fleet.servers.values())
    for (const known of [name, hostname, ...aliases]) owners.set(known, name)
  for (const server of fleet.servers.values()) {
    for (const [host, address] of server.extraHosts) {
      const owner = owners.get(host)
      const isLoopback = host === 'localhost' && (address === '::1' || address.startsWith('127.'))
      const meant = owner === undefined ? wordWellKnown(host) : `is the server \`${owner}\` of this fleet`
      if (meant === undefined || isLoopback) continue
      const at = { value: ['servers', server.name, 'extraHosts', host] }
      yield { id: 'host-shadowed', server: server.name, at, message: `${host}, led to ${address}, ${meant}` }
    }
  }
}

function wordWellKnown(host: string): string | undefined {
  if (host === 'localhost') return 'is the server itself everywhere else'
  return wellKnown.has(host) ? 'is a place that programs trust' : undefined
}

/** Variables that tests can take for those of another server. */
export function* findSharedVariables({ fleet }: Subject): Iterable<Sighting> {
  const exported = [...fleet.servers.values()].flatMap(({ name, export: own }) =>
    [...own.keys()].map((variable) => ({ server: name, variable })),
  )
  for (const [variable, group] of Map.groupBy(exported, (each) => each.variable)) {
    const [last = '', ...others] = group
      .map(({ server }) => server)
      .toSorted()
      .toReversed()
    const message = `${variable} is exported by ${last} too, and is that of ${last}`
    for (const server of others)
      yield { id: 'variable-shared', server, at: { key: ['servers', server, 'export', variable] }, message }
  }
}
