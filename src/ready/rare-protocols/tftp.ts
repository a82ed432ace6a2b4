import { uint16, zeroEnded } from '../protocols/bytes.ts'
import { says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

const READ = 1
const DATA = 3
const ERROR = 5
const FIRST_BLOCK = 1

/** A read request, answered from another port with the first block; an error then ends the transfer (RFC 1350, 4 to 7). */
export const probeTftp = overUdp<'tftp'>((check) => {
  const bytes = Buffer.concat([uint16(READ), zeroEnded(check.file), zeroEnded('octet')])
  const goodbye = Buffer.concat([uint16(ERROR), uint16(0), zeroEnded('enough')])
  return { bytes, goodbye, judge }
})

function judge(datagram: Buffer): void {
  const [kind, number] = datagram.length < 4 ? [] : [datagram.readUInt16BE(0), datagram.readUInt16BE(2)]
  if (kind === DATA && number === FIRST_BLOCK) return
  throw kind === ERROR ? says(`${number} ${untilZero(datagram.subarray(4))}`) : says(datagram)
}

function untilZero(text: Buffer): string {
  return text.toString('latin1').replace(/\0.*$/s, '')
}
