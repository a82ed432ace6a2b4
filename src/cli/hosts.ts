import type { NamedServer, SessionHosts } from '../api/types/environment.ts'
import { answer } from './answer.ts'
import { type Call, clientOf, sessionOptions } from './call.ts'

export async function run(call: Call): Promise<number> {
  const found = await clientOf(call).hosts(sessionOptions(call))
  return answer(call, found, formatHosts(found))
}

/** Lines for /etc/hosts, with comments that explain the addresses. */
function formatHosts({ session, hosts, servers: byName }: SessionHosts): string {
  const servers = Object.values(byName)
  const isDirect = servers.every(({ address }) => address !== null)
  const what = isDirect
    ? '# The real ports answer at these addresses. They hold until the session ends, or a server is replaced or started again.'
    : '# This machine does not reach the containers at their own addresses: the names lead to published ports.'
  const ports = isDirect ? [] : servers.map(formatPorts)
  return [
    `# testfleet session ${session}`,
    what,
    ...ports,
    ...hosts.map(({ address, names }) => `${address}\t${names.join(' ')}`),
    '',
  ].join('\n')
}

function formatPorts({ names, endpoints }: NamedServer): string {
  const ports = Object.entries(endpoints).map(([key, { host, port }]) => `${key} is ${host}:${port}`)
  return `# ${names[0]}: ${ports.length === 0 ? 'publishes no port' : ports.join(', ')}`
}
