import * as z from 'zod'
import * as grammar from '../formats/grammar.ts'
import { optional } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'

/** More name servers than any resolver asks, and more devices than a test server needs. */
const MOST = 32
/** Limit of a Linux host name (sethostname(2)). */
const MOST_OF_HOSTNAME = 64

/** Keys of a server that Compose has under the same names and that set properties of the container. */
export const containerKeys = {
  hostname: optional(
    z
      .string()
      .regex(grammar.HOSTNAME, {
        error: 'must be a host name in lower case, with at most 63 characters between dots',
        abort: true,
      })
      .max(MOST_OF_HOSTNAME, `must be at most ${MOST_OF_HOSTNAME} characters`),
    'The host name that the server itself sees. Its certificate covers this name too, unless it is a name of the public internet. Other servers and tests still use its name, its `aliases` and <server>.<domain>. Default: <server>.<domain>.',
  ),
  dns: optional(
    z.array(z.union([z.ipv4(), z.ipv6()])).max(MOST, `must be at most ${MOST} addresses`),
    "Addresses of the name servers for names outside the fleet. Default: those of the engine's machine.",
  ),
  devices: optional(
    z
      .array(
        z.string().refine(rules.isDevice, {
          error: 'must be HOST, HOST:CONTAINER or HOST:CONTAINER:rwm, such as /dev/fuse or /dev/ttyUSB0:/dev/modem:rw',
        }),
      )
      .max(MOST, `must be at most ${MOST} devices`),
    "Devices of the engine's machine, such as /dev/fuse or /dev/ttyUSB0:/dev/modem:rw.",
  ),
  tty: optional(
    z.boolean(),
    'Runs it at a terminal, so that programs write each line immediately and with colours. Its log is then one stream. Default: false.',
  ),
  restart: optional(
    z.string().refine(rules.isRestart, { error: ({ input }) => wordRestart(String(input)) }),
    '`on-failure` or `on-failure:N`: restarts it when it ends with an error, at most N times (1 to 100; 5 without N). Default: `no`.',
  ),
}

function wordRestart(value: string): string {
  const outlives = /^(?:always|unless-stopped)$/.test(value) ? ': no server may outlive its session' : ''
  return `must be no, on-failure, or on-failure:N with N from 1 to 100${outlives}`
}
