import { randomBytes } from 'node:crypto'
import { says } from '../protocols/conversation.ts'
import { overUdp } from '../protocols/exchange.ts'

const UNAVAILABLE = '503'

/** OPTIONS (RFC 3261, 11), answered to where it came from (`rport`, RFC 3581). */
export const probeSip = overUdp<'sip'>(({ port }, { hostname }) => {
  const id = randomBytes(8).toString('hex')
  const lines = [
    `OPTIONS sip:${hostname}:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:testfleet@${hostname}>;tag=${id}`,
    `To: <sip:${hostname}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    'Contact: <sip:testfleet@127.0.0.1>',
    'Content-Length: 0',
  ]
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  return { bytes, judge: (datagram) => judge(datagram.toString('latin1'), id) }
})

function judge(answer: string, id: string): void {
  const [line = ''] = answer.split('\r\n', 1)
  const status = /^SIP\/2\.0 (\d{3})(?: |$)/.exec(line)?.[1]
  if (status === undefined || status === UNAVAILABLE || !answer.includes(id)) throw says(line)
}
