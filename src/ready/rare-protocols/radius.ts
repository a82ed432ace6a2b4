import { createHash, createHmac, randomBytes, randomInt } from 'node:crypto'
import { uint16 } from '../protocols/bytes.ts'
import { says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

const STATUS_SERVER = 12
/** Access-Accept at the port of authentication, Accounting-Response at that of accounting. */
const accepted = [2, 5]
const MESSAGE_AUTHENTICATOR = 80
const HEADER_BYTES = 20
const ATTRIBUTE_BYTES = 18

/** Status-Server (RFC 5997), signed with the secret (RFC 3579, 3.2), as the answer must be (RFC 2865, 3). */
export const probeRadius = overUdp<'radius'>(async (check, target) => {
  const secret = await target.readSecret(check.secret.secret)
  const request = writeRequest(secret)
  return { bytes: request, judge: (datagram) => judge(datagram, request, secret) }
})

function writeRequest(secret: string): Buffer {
  const head = [Buffer.of(STATUS_SERVER, randomInt(256)), uint16(HEADER_BYTES + ATTRIBUTE_BYTES), randomBytes(16)]
  const unsigned = Buffer.concat([...head, Buffer.of(MESSAGE_AUTHENTICATOR, ATTRIBUTE_BYTES), Buffer.alloc(16)])
  const signature = createHmac('md5', secret).update(unsigned).digest()
  return Buffer.concat([unsigned.subarray(0, HEADER_BYTES + 2), signature])
}

function judge(datagram: Buffer, request: Buffer, secret: string): void {
  const length = datagram.length < HEADER_BYTES ? 0 : datagram.readUInt16BE(2)
  const [code = 0, id] = datagram
  const isAnswer = length >= HEADER_BYTES && length <= datagram.length && accepted.includes(code) && id === request[1]
  if (!isAnswer) throw says(datagram)
  const signed = createHash('md5')
    .update(datagram.subarray(0, 4))
    .update(request.subarray(4, HEADER_BYTES))
    .update(datagram.subarray(HEADER_BYTES, length))
    .update(secret)
    .digest()
  if (!signed.equals(datagram.subarray(4, HEADER_BYTES))) throw new Error('signs its answer with another secret')
}
