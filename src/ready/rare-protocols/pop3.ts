import { type Conversation, onOneLine, overTcp, refuses, says } from '../protocols/conversation.ts'

/** POP3 (RFC 1939, 4 and 7): the greeting, and USER and PASS where there is a login. */
export const probePop3 = overTcp<'pop3'>(async (conversation, login) => {
  await hearOk(conversation)
  if (login !== undefined) {
    conversation.send(`USER ${login.user}\r\n`)
    await hearOk(conversation)
    conversation.send(`PASS ${onOneLine(login.password)}\r\n`)
    await hearOk(conversation, refuses)
  }
  conversation.send('QUIT\r\n')
})

/** Response codes of a server that cannot check a login now (RFC 2449, 8; RFC 3206). */
const TEMPORARY = /\[(?:SYS\/TEMP|IN-USE|LOGIN-DELAY)\]|temporar/i

async function hearOk({ readLine }: Conversation, word = says): Promise<void> {
  const line = await readLine()
  if (!/^\+OK(?: |$)/.test(line)) throw (TEMPORARY.test(line) ? says : word)(line)
}
