import { randomInt } from 'node:crypto'
import * as ber from '../../formats/ber.ts'
import { says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

const VERSION = 5
const AS_REQ = 10
const AS_REP = 0x6b
const KRB_ERROR = 0x7e
const NT_SRV_INST = 2
/** AES and RC4: what KDCs know. */
const encryptions = [18, 17, 20, 19, 23]
/** KDC_ERR_C_PRINCIPAL_UNKNOWN, KDC_ERR_S_PRINCIPAL_UNKNOWN and KDC_ERR_WRONG_REALM (RFC 4120, 7.5.9). */
const unknown = [6, 7, 68]

/**
 * An AS-REQ (RFC 4120, 5.4.1) for the one principal that every realm has. A KDC that does not know it does not serve the
 * realm; any other answer shows that it does.
 */
export const probeKerberos = overUdp<'kerberos'>(({ realm }) => ({
  bytes: writeRequest(realm),
  judge: (datagram) => judge(datagram, realm),
}))

function field(number: number, value: Buffer): Buffer {
  return ber.tagged(0xa0 | number, value)
}

function writeRequest(realm: string): Buffer {
  const names = ber.sequence(ber.tagged(ber.tags.generalString, 'krbtgt'), ber.tagged(ber.tags.generalString, realm))
  const principal = ber.sequence(field(0, ber.integer(NT_SRV_INST)), field(1, names))
  const body = ber.sequence(
    field(0, ber.bitString(Buffer.alloc(4))),
    field(1, principal),
    field(2, ber.tagged(ber.tags.generalString, realm)),
    field(3, principal),
    field(5, ber.tagged(ber.tags.generalizedTime, '20370913024805Z')),
    field(7, ber.integer(randomInt(0x7fff_ffff))),
    field(8, ber.sequence(...encryptions.map(ber.integer))),
  )
  const fields = [field(1, ber.integer(VERSION)), field(2, ber.integer(AS_REQ)), field(4, body)]
  return ber.tagged(0x60 | AS_REQ, ber.sequence(...fields))
}

function judge(datagram: Buffer, realm: string): void {
  const answer = ber.readValue(datagram)
  const fields = ber.readValues(ber.readValue(answer?.content ?? Buffer.alloc(0))?.content ?? Buffer.alloc(0))
  const held = (number: number): ber.Value | undefined =>
    ber.readValue(fields.find(({ tag }) => tag === (0xa0 | number))?.content ?? Buffer.alloc(0))
  const isReply = answer?.tag === AS_REP
  if (answer?.tag !== KRB_ERROR && !isReply) throw says(datagram)
  const answered = held(isReply ? 3 : 9)?.content.toString()
  const code = isReply ? 0 : ber.readInteger(held(6))
  if (answered === undefined || code === undefined) throw says(datagram)
  if (answered !== realm || unknown.includes(code)) throw new Error(`does not know the realm ${realm}`)
}
