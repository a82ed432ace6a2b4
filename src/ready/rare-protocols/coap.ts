import { randomInt } from 'node:crypto'
import type { ProtocolProbe } from '../probe.ts'
import { uint16 } from '../protocols/bytes.ts'
import { says } from '../protocols/conversation.ts'
import { exchange } from '../protocols/exchange.ts'

/** Version 1 with nothing in it: one that wants an answer, and the answer that nothing was understood (RFC 7252, 3). */
const EMPTY_CONFIRMABLE = Buffer.of(0x40, 0)
const EMPTY_RESET = Buffer.of(0x70, 0)

/** A ping (RFC 7252, 4.3); the answer is known by its id. */
export const probeCoap: ProtocolProbe<'coap'> = (check, target) => (signal, patienceMs) => {
  const id = uint16(randomInt(0x10000))
  const wanted = Buffer.concat([EMPTY_RESET, id])
  const judge = (datagram: Buffer): void => {
    if (!datagram.equals(wanted)) throw says(datagram)
  }
  return exchange(
    { port: check.port, bytes: Buffer.concat([EMPTY_CONFIRMABLE, id]), judge },
    target,
    signal,
    patienceMs,
  )
}
