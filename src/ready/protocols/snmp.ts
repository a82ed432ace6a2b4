import { randomInt } from 'node:crypto'
import {
  integer,
  objectIdentifier,
  octetString,
  readBer,
  readBerInteger,
  readBerValues,
  sequence,
  tagged,
  tags,
} from '../../formats/ber.ts'
import { says } from './conversation.ts'
import { exchange } from './exchange.ts'
import type { ProtocolProbe } from './target.ts'

const VERSION_2C = 1
const GET_REQUEST = 0xa0
const RESPONSE = 0xa2
/** RFC 3418. */
const SYS_NAME = '1.3.6.1.2.1.1.5.0'

/** Get of sysName (RFC 3416, 4.2.1) in a message with a community (RFC 1901, 3). */
export const probeSnmp: ProtocolProbe<'snmp'> = (check, target) => async (signal, patienceMs) => {
  const community = check.community === undefined ? 'public' : await target.readSecret(check.community.secret)
  const id = randomInt(0x1000_0000, 0x7fff_ffff)
  const variable = sequence(objectIdentifier(SYS_NAME), tagged(tags.null))
  const numbers = [integer(id), integer(0), integer(0)]
  const request = tagged(GET_REQUEST, ...numbers, sequence(variable))
  const bytes = sequence(integer(VERSION_2C), octetString(community), request)
  const question = { port: check.port, bytes, judge: (datagram: Buffer) => judge(datagram, id) }
  return exchange(question, target, signal, patienceMs)
}

function judge(datagram: Buffer, id: number): void {
  const [, , response] = readBerValues(readBer(datagram)?.content ?? Buffer.alloc(0))
  const [answered, status, , variables] = readBerValues(response?.content ?? Buffer.alloc(0))
  const [variable] = readBerValues(variables?.content ?? Buffer.alloc(0))
  const [, value] = readBerValues(variable?.content ?? Buffer.alloc(0))
  if (response?.tag !== RESPONSE || readBerInteger(answered) !== id) throw says(datagram)
  const code = readBerInteger(status)
  if (code !== 0) throw new Error(`answers error ${code}`)
  if (value?.tag !== tags.octetString) throw new Error('does not tell its name')
}
