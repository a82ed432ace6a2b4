import { hostname } from 'node:os'
import type { NamedServer } from '../model/running.ts'
import { formatHostsEntries, type HostsEntry, toHostsEntries } from '../names/names.ts'
import { readNames } from '../report/names.ts'
import { answer } from './answer.ts'
import { type Call, withSession } from './call.ts'

export async function run(call: Call): Promise<number> {
  return withSession(call, async (record, tools) => {
    const { name: session } = record
    const servers = await readNames(record, tools)
    const hosts = toHostsEntries(servers, hostname())
    return answer(call, { session, hosts, servers: toJsonServers(servers) }, formatHosts(session, servers, hosts))
  })
}

/** Lines for /etc/hosts, with comments that say what the addresses are. */
function formatHosts(session: string, servers: readonly NamedServer[], hosts: readonly HostsEntry[]): string {
  const isDirect = servers.every(({ address }) => address !== undefined)
  const what = isDirect
    ? '# The real ports answer at these addresses. They hold until the session ends or a server is replaced.'
    : '# This machine does not reach the containers at their own addresses: the names lead to published ports.'
  const ports = isDirect ? [] : servers.map(formatPorts)
  return [`# testfleet session ${session}`, what, ...ports, formatHostsEntries(hosts)].join('\n')
}

function formatPorts({ names, endpoints }: NamedServer): string {
  const ports = Object.entries(endpoints).map(([key, { host, port }]) => `${key} is ${host}:${port}`)
  return `# ${names[0]}: ${ports.length === 0 ? 'publishes no port' : ports.join(', ')}`
}

function toJsonServers(servers: readonly NamedServer[]) {
  return Object.fromEntries(
    servers.map(({ server, names, address, endpoints }) => [server, { names, address: address ?? null, endpoints }]),
  )
}
