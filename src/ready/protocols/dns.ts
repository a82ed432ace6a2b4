import { randomInt } from 'node:crypto'
import type { CheckOf } from '../../model/protocols.ts'
import { type Answer, notYet, ready } from '../check.ts'
import { exchange } from './exchange.ts'
import type { ProtocolProbe } from './target.ts'

/** RFC 1035, 3.2.2; 3596 for AAAA; 2782 for SRV. */
const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const
const codes = ['', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
const HEADER_BYTES = 12

/** A question of its own (RFC 1035, 4.1), without asking for recursion; the answer is known by its id. */
export const probeDns: ProtocolProbe<'dns'> = (check, target) => (signal, patienceMs) => {
  const id = randomInt(0x10000)
  return exchange(
    check.port,
    writeQuestion(id, check),
    (datagram) => judge(datagram, id, check),
    target,
    signal,
    patienceMs,
  )
}

function writeQuestion(id: number, { name = '', type = name === '' ? 'NS' : 'A' }: CheckOf<'dns'>): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    Buffer.from([id >> 8, id & 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0, 0, types[type], 0, 1]),
  ])
}

function judge(datagram: Buffer, id: number, { name }: CheckOf<'dns'>): Answer | undefined {
  if (datagram.length < HEADER_BYTES || datagram.readUInt16BE(0) !== id || datagram.readUInt8(2) < 0x80)
    return undefined
  if (name === undefined) return ready
  const code = datagram.readUInt8(3) & 0xf
  if (code !== 0) return notYet(`answers ${codes[code] ?? `code ${code}`} for ${name}`)
  return datagram.readUInt16BE(6) > 0 ? ready : notYet(`has no such record of ${name}`)
}
