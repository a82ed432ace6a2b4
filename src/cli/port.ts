import { TestfleetError } from '../model/failures.ts'
import { findEndpoint } from '../model/find-endpoint.ts'
import type { Endpoint } from '../model/running.ts'
import { answer } from './answer.ts'
import { type Call, clientOf, sessionOptions } from './call.ts'

/** Prints HOST:PORT of one port, or a line for each published port. */
export async function run(call: Call): Promise<number> {
  const [server = '', port] = call.servers
  const asked = port === undefined ? undefined : readPort(port)
  const endpoints = await clientOf(call).endpoints(server, sessionOptions(call))
  if (asked === undefined) {
    const lines = Object.entries(endpoints).map(([key, endpoint]) => `${key} -> ${formatEndpoint(endpoint)}\n`)
    return answer(call, { server, endpoints }, lines.join(''))
  }
  const found = findEndpoint({ endpoints }, asked.number, asked.protocol)
  if (found === undefined) {
    const known = Object.keys(endpoints).join(', ')
    throw new TestfleetError('PORT_UNREACHABLE', `${server} has no published port ${port}`, {
      server,
      hint: known === '' ? 'List the port in `ports`.' : `Its published ports are: ${known}.`,
    })
  }
  return answer(call, found, `${formatEndpoint(found)}\n`)
}

function readPort(text: string) {
  const [, number, protocol] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? []
  if (Number(number) >= 1 && Number(number) <= 65_535) {
    return { number: Number(number), protocol: protocol as 'tcp' | 'udp' | 'sctp' | undefined }
  }
  throw new TestfleetError('USAGE', `${JSON.stringify(text)} is not a port such as 80 or 53/udp`)
}

function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
