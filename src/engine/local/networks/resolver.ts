import { readFile, writeFile } from 'node:fs/promises'
import type { ContainerRecord, Local } from '../types.ts'

/** What Docker takes when the machine names no server that a container can reach. */
const fallback = ['8.8.8.8', '8.8.4.4']

const HOST_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/**
 * Writes the resolv.conf of a container: that of the machine, with the servers of `dns`, the name server of the network, or those of
 * the machine without its loopback.
 */
export async function writeResolver(
  { store }: Local,
  { id, spec }: ContainerRecord,
  nameServer: string | undefined,
): Promise<void> {
  const dns = spec.dns?.length || nameServer === undefined ? spec.dns : [nameServer]
  const texts = await Promise.all(HOST_FILES.map((path) => readFile(path, 'utf8').catch(() => '')))
  await writeFile(store.path('containers', id, 'resolv.conf'), resolverFor(texts, dns), { mode: 0o644 })
}

/** The first text with a name server that is not at the loopback counts. */
export function resolverFor(texts: readonly string[], dns: readonly string[] | undefined): string {
  const [first = '', ...others] = texts
  const host = [first, ...others].find((text) => serversIn(text).length > 0) ?? first
  const servers = dns?.length ? dns : serversIn(host).length > 0 ? serversIn(host) : fallback
  const kept = host.split('\n').filter((line) => /^\s*(?:search|domain|options)\s/.test(line))
  return [...servers.map((server) => `nameserver ${server}`), ...kept].map((line) => `${line.trim()}\n`).join('')
}

function serversIn(text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((server) => !server.startsWith('127.') && server !== '::1' && !server.includes('%'))
}
