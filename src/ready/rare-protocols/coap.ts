import { randomInt } from 'node:crypto'
import { uint16 } from '../protocols/bytes.ts'
import { says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

/** Version 1 with nothing in it: one that wants an answer, and the answer that nothing was understood (RFC 7252, 3). */
const EMPTY_CONFIRMABLE = Buffer.of(0x40, 0)
const EMPTY_RESET = Buffer.of(0x70, 0)

/** A ping (RFC 7252, 4.3); the answer is known by its id. */
export const probeCoap = overUdp<'coap'>(() => {
  const id = uint16(randomInt(0x10000))
  const wanted = Buffer.concat([EMPTY_RESET, id])
  const judge = (datagram: Buffer): void => {
    if (!datagram.equals(wanted)) throw says(datagram)
  }
  return { bytes: Buffer.concat([EMPTY_CONFIRMABLE, id]), judge }
})
