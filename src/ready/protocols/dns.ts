import { randomInt } from 'node:crypto'
import type { CheckOf } from '../../model/protocols.ts'
import { uint16 } from './bytes.ts'
import { says } from './conversation.ts'
import { overUdp } from './exchange.ts'

/** RFC 1035, 3.2.2; 3596 for AAAA; 2782 for SRV. */
const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const
const codes = ['', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
const HEADER_BYTES = 12

/** Asks without recursion (RFC 1035, 4.1); the id of the answer shows that it belongs to the question. */
export const probeDns = overUdp<'dns'>((check) => {
  const id = uint16(randomInt(0x10000))
  return { bytes: writeQuestion(id, check), judge: (datagram) => judge(datagram, id, check) }
})

function writeQuestion(id: Buffer, { name = '', type = name === '' ? 'NS' : 'A' }: CheckOf<'dns'>): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    id,
    Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0, 0, types[type], 0, 1]),
  ])
}

function judge(datagram: Buffer, id: Buffer, { name }: CheckOf<'dns'>): void {
  const isAnswer =
    datagram.length >= HEADER_BYTES && datagram.subarray(0, 2).equals(id) && datagram.readUInt8(2) >= 0x80
  if (!isAnswer) throw says(datagram)
  if (name === undefined) return
  const code = datagram.readUInt8(3) & 0xf
  if (code !== 0) throw new Error(`answers ${codes[code] ?? `code ${code}`} for ${name}`)
  if (datagram.readUInt16BE(6) === 0) throw new Error(`has no such record of ${name}`)
}
