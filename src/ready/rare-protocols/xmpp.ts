import type { ProtocolProbe } from '../probe.ts'
import { type Conversation, converse } from '../protocols/conversation.ts'

/** XMPP (RFC 6120, 4.2 and 4.3): the server opens its stream for the domain and lists its features. */
export const probeXmpp: ProtocolProbe<'xmpp'> =
  (check, target) =>
  (...attempt) =>
    // The name that counts for TLS is the domain's, too.
    converse(check, { ...target, hostname: check.domain }, attempt, async (conversation) => {
      conversation.send(
        `<?xml version='1.0'?><stream:stream to='${check.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
      )
      const first = await hearTag(conversation)
      const opening = first.startsWith('<?xml ') ? await hearTag(conversation) : first
      if (!opening.startsWith('<stream:stream ')) throw conversation.unlike()
      const tag = await hearTag(conversation)
      if (tag === '<stream:error>') throw new Error(`refuses the stream: ${nameOf(await hearTag(conversation))}`)
      if (!/^<stream:features[ />]/.test(tag)) throw conversation.unlike()
      conversation.send('</stream:stream>')
    })

const MAX_TAG_LENGTH = 4096

/** Reads the next tag, which white space may precede. */
async function hearTag(conversation: Conversation): Promise<string> {
  let tag = ''
  while (!tag.endsWith('>')) {
    tag = (tag + (await conversation.readBytes(1)).toString('latin1')).trimStart()
    if (tag.length > MAX_TAG_LENGTH || (tag !== '' && !tag.startsWith('<'))) throw conversation.unlike()
  }
  return tag
}

/** The first element of an error is its condition, such as host-unknown. */
function nameOf(tag: string): string {
  return /^<([a-z-]+)/.exec(tag)?.[1] ?? 'it does not say why'
}
