import { type Conversation, overTcp } from './conversation.ts'

/** A packet is no longer (RFC 4253, 6.1). */
const MAX_PACKET_BYTES = 35_000
const MSG_KEXINIT = 20

/** The versions (RFC 4253, 4.2), and the server's begin of the key exchange (7.1). */
export const probeSsh = overTcp<'ssh'>(async (conversation) => {
  conversation.send('SSH-2.0-testfleet\r\n')
  await hearVersion(conversation)
  const head = await conversation.readBytes(6)
  const length = head.readUInt32BE(0)
  if (head[5] !== MSG_KEXINIT || length > MAX_PACKET_BYTES || length < 18) throw conversation.unlike()
  await conversation.readBytes(length - 2)
})

/** A server may send other lines first. */
async function hearVersion({ readLine }: Conversation): Promise<void> {
  for (;;) if (/^SSH-(?:2\.0|1\.99)-/.test(await readLine())) return
}
