import { type Conversation, onOneLine, overTcp, says } from '../protocols/conversation.ts'

/** POP3 (RFC 1939, 4 and 7): the greeting, and USER and PASS where there is a login. */
export const probePop3 = overTcp<'pop3'>(async (conversation, login) => {
  await hearOk(conversation)
  if (login !== undefined) {
    conversation.send(`USER ${login.user}\r\n`)
    await hearOk(conversation)
    conversation.send(`PASS ${onOneLine(login.password)}\r\n`)
    await hearOk(conversation)
  }
  conversation.send('QUIT\r\n')
})

async function hearOk({ readLine }: Conversation): Promise<void> {
  const line = await readLine()
  if (!/^\+OK(?: |$)/.test(line)) throw says(line)
}
