import { type Conversation, overTcp, refuses, says } from './conversation.ts'

/** INFO, CONNECT, PING and PONG (the client protocol, as NATS documents it). */
export const probeNats = overTcp<'nats'>(async (conversation, login) => {
  const credentials = login === undefined ? {} : { user: login.user, pass: login.password }
  const options = { verbose: false, pedantic: false, lang: 'node', version: '1', protocol: 1, ...credentials }
  const info = await conversation.readLine()
  if (!/^INFO\s+\{/i.test(info)) throw says(info)
  conversation.send(`CONNECT ${JSON.stringify(options)}\r\nPING\r\n`)
  await hearPong(conversation)
})

/** The server may send news or a PING at any time. */
async function hearPong({ readLine }: Conversation): Promise<void> {
  for (;;) {
    const line = await readLine()
    if (/^PONG$/i.test(line)) return
    if (!/^(?:INFO\s|PING$|\+OK$)/i.test(line)) throw /^-ERR 'Auth/i.test(line) ? refuses(line) : says(line)
  }
}
