import { randomBytes } from 'node:crypto'
import { says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

const HEADER_BYTES = 20
const MAGIC_COOKIE = 0x2112_a442
const SUCCESS = 0x0101
const FAILURE = 0x0111

/** A binding request (RFC 8489, 2 and 5); the answer is known by its transaction. */
export const probeStun = overUdp<'stun'>(() => {
  const bytes = Buffer.concat([Buffer.of(0, 1, 0, 0), Buffer.alloc(4), randomBytes(12)])
  bytes.writeUInt32BE(MAGIC_COOKIE, 4)
  return { bytes, judge: (datagram) => judge(datagram, bytes) }
})

function judge(datagram: Buffer, request: Buffer): void {
  const isAnswer = datagram.length >= HEADER_BYTES && datagram.subarray(4, HEADER_BYTES).equals(request.subarray(4))
  const type = isAnswer ? datagram.readUInt16BE(0) : undefined
  if (type === FAILURE) throw new Error('answers with an error')
  if (type !== SUCCESS) throw says(datagram)
}
