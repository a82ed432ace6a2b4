import type { ProtocolProbe } from '../probe.ts'
import { type Conversation, converse, onOneLine, readLogin, says } from '../protocols/conversation.ts'

/** POP3 (RFC 1939, 4 and 7): the greeting, and USER and PASS where there is a login. */
export const probePop3: ProtocolProbe<'pop3'> = (check, target) => async (signal, patienceMs) => {
  const login = await readLogin(check, target)
  return converse(check, target, signal, patienceMs, async (conversation) => {
    await hearOk(conversation)
    if (login !== undefined) {
      conversation.send(`USER ${login.user}\r\n`)
      await hearOk(conversation)
      conversation.send(`PASS ${onOneLine(login.password)}\r\n`)
      await hearOk(conversation)
    }
    conversation.send('QUIT\r\n')
  })
}

async function hearOk({ readLine }: Conversation): Promise<void> {
  const line = await readLine()
  if (!/^\+OK(?: |$)/.test(line)) throw says(line)
}
