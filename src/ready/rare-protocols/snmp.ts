import { randomInt } from 'node:crypto'
import * as ber from '../../formats/ber.ts'
import { says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

const VERSION_2C = 1
const GET_REQUEST = 0xa0
const RESPONSE = 0xa2
/** RFC 3418. */
const SYS_NAME = '1.3.6.1.2.1.1.5.0'

/** Get of sysName (RFC 3416, 4.2.1) in a message with a community (RFC 1901, 3). */
export const probeSnmp = overUdp<'snmp'>(async (check, target) => {
  const community = check.community === undefined ? 'public' : await target.readSecret(check.community.secret)
  const id = randomInt(0x1000_0000, 0x7fff_ffff)
  const variable = ber.sequence(ber.objectIdentifier(SYS_NAME), ber.tagged(ber.tags.null))
  const numbers = [ber.integer(id), ber.integer(0), ber.integer(0)]
  const request = ber.tagged(GET_REQUEST, ...numbers, ber.sequence(variable))
  const bytes = ber.sequence(ber.integer(VERSION_2C), ber.octetString(community), request)
  return { bytes, judge: (datagram) => judge(datagram, id) }
})

function judge(datagram: Buffer, id: number): void {
  const [, , response] = ber.readValues(ber.readValue(datagram)?.content ?? Buffer.alloc(0))
  const [answered, status, , variables] = ber.readValues(response?.content ?? Buffer.alloc(0))
  const [variable] = ber.readValues(variables?.content ?? Buffer.alloc(0))
  const [, value] = ber.readValues(variable?.content ?? Buffer.alloc(0))
  if (response?.tag !== RESPONSE || ber.readInteger(answered) !== id) throw says(datagram)
  const code = ber.readInteger(status)
  if (code !== 0) throw new Error(`answers error ${code}`)
  if (value?.tag !== ber.tags.octetString) throw new Error('does not tell its name')
}
