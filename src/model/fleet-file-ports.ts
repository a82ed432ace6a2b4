import * as z from 'zod'
import { MOST_PORTS } from '../formats/port-range.ts'
import { optional, port } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'

const portText = z.string().refine(rules.isPortText, { error: ({ input }) => wordPortText(String(input)) })
const portRange = z.string().refine(rules.isPortRange, {
  error: `must be a port from 1 to 65535, or a range of at most ${MOST_PORTS} such as 30000-30009`,
})
const portOrRange = z.union([port, portRange])

/** An item of `ports`. */
export const portItem = z.union([
  port,
  portText,
  z
    .strictObject({
      container: portOrRange.describe('The port that the server listens at, or a range such as 30000-30009.'),
      host: optional(portOrRange, 'The port of this machine, or a range of the same length. Default: a free port.'),
      protocol: optional(z.enum(['tcp', 'udp', 'sctp']), 'Default: tcp.'),
      address: optional(z.union([z.ipv4(), z.ipv6()]), 'The address of this machine to listen on. Default: 127.0.0.1.'),
      publish: optional(z.boolean(), '`false` does not publish a port of the preset. Default: true.'),
    })
    .refine(rules.isAsLong, { path: ['host'], message: 'must have as many ports as `container`' }),
])

/** Docker's own notation for a published port is what most people try first. */
function wordPortText(value: string): string {
  const range = '\\d{1,5}(?:-\\d{1,5})?'
  const [, host, container] = new RegExp(`^(${range}):(${range})(?:/(?:tcp|udp|sctp))?$`).exec(value) ?? []
  const published = `; for a fixed port of this machine, write { container: ${container}, host: ${host} }`
  if (/^\d+-\d+/.test(value) && host === undefined)
    return `must be a range of at most ${MOST_PORTS} ports from 1 to 65535, the lower one first, such as 30000-30009`
  return `must be a port from 1 to 65535, such as 80 or "53/udp"${host === undefined ? '' : published}`
}
