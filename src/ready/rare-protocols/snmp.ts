import { randomInt } from 'node:crypto'
import type { ProtocolProbe } from '../probe.ts'
import {
  NULL,
  OBJECT_ID,
  OCTET_STRING,
  readBer,
  readBerInteger,
  readBerValues,
  SEQUENCE,
  writeBer,
  writeBerInteger,
} from '../protocols/ber.ts'
import { says } from '../protocols/conversation.ts'
import { exchange } from '../protocols/exchange.ts'

const VERSION_2C = 1
const GET_REQUEST = 0xa0
const RESPONSE = 0xa2
/** 1.3.6.1.2.1.1.5.0 (RFC 3418). */
const SYS_NAME = Buffer.from([0x2b, 6, 1, 2, 1, 1, 5, 0])

/** Get of sysName (RFC 3416, 4.2.1) in a message with a community (RFC 1901, 3). */
export const probeSnmp: ProtocolProbe<'snmp'> = (check, target) => async (signal, patienceMs) => {
  const community = check.community === undefined ? 'public' : await target.readSecret(check.community.secret)
  const id = randomInt(0x1000_0000, 0x7fff_ffff)
  const variable = writeBer(SEQUENCE, writeBer(OBJECT_ID, SYS_NAME), writeBer(NULL))
  const numbers = [writeBerInteger(id), writeBerInteger(0), writeBerInteger(0)]
  const request = writeBer(GET_REQUEST, ...numbers, writeBer(SEQUENCE, variable))
  const bytes = writeBer(SEQUENCE, writeBerInteger(VERSION_2C), writeBer(OCTET_STRING, community), request)
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
  if (value?.tag !== OCTET_STRING) throw new Error('does not tell its name')
}
