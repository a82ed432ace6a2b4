import { randomBytes } from 'node:crypto'
import { quote, says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

const HEADER_BYTES = 48
/** Version 4, a client that asks (RFC 5905, 7.3). */
const ASKS = 0x23
const ANSWERS = 4
const UNKNOWN_LEAP = 3
const UNSYNCHRONISED = 16

/** The header of RFC 5905, 7.3; the answer holds the time that was sent with the question, which is a random one. */
export const probeNtp = overUdp<'ntp'>(() => {
  const sentAt = randomBytes(8)
  const bytes = Buffer.concat([Buffer.of(ASKS), Buffer.alloc(HEADER_BYTES - 9), sentAt])
  return { bytes, judge: (datagram) => judge(datagram, sentAt) }
})

function judge(datagram: Buffer, sentAt: Buffer): void {
  const [flags = 0, stratum = 0] = datagram
  const isAnswer =
    datagram.length >= HEADER_BYTES && (flags & 7) === ANSWERS && datagram.subarray(24, 32).equals(sentAt)
  if (!isAnswer) throw says(datagram)
  const isSynchronised = flags >> 6 !== UNKNOWN_LEAP && stratum < UNSYNCHRONISED
  if (!isSynchronised) throw new Error('is not synchronised')
  // The kiss of death (7.4): a word in place of a time.
  if (stratum === 0) throw new Error(`answers ${quote(datagram.subarray(12, 16))}`)
}
