import type { Server } from './fleet.ts'

type Named = Pick<Server, 'name' | 'hostname' | 'aliases'>

/** Returns the aliases of a server, each also with the domain of its fleet, as the server's own name. */
export function aliasesOf(server: Named): string[] {
  return [...new Set(server.aliases.flatMap((alias) => withDomain(alias, server)))]
}

export function withDomain(alias: string, { name, hostname }: Pick<Named, 'name' | 'hostname'>): string[] {
  // `<name>.<domain>`
  const domain = hostname.slice(name.length + 1)
  return alias.includes('.') ? [alias] : [alias, `${alias}.${domain}`]
}
