import { type Conversation, hearReply, type Login, overTcp } from './conversation.ts'

/** SMTP (RFC 5321, 3.1 and 3.2): the greeting and EHLO, and AUTH (RFC 4954) where there is a login. */
export const probeSmtp = overTcp<'smtp'>(async (conversation, login) => {
  await hearReply(conversation, 220)
  conversation.send('EHLO [127.0.0.1]\r\n')
  const offers = await hearReply(conversation, 250)
  if (login !== undefined) await logIn(conversation, login, readMechanisms(offers))
  conversation.send('QUIT\r\n')
})

/** `250-AUTH PLAIN LOGIN`; `AUTH=PLAIN LOGIN` is older than the RFC. */
function readMechanisms(offers: readonly string[]): string[] {
  const lines = offers.map((line) => line.slice(4).toUpperCase()).filter((line) => /^AUTH[ =]/.test(line))
  return lines.flatMap((line) => line.slice(5).split(' '))
}

async function logIn(conversation: Conversation, { user, password }: Login, mechanisms: string[]): Promise<void> {
  if (mechanisms.includes('PLAIN')) {
    conversation.send(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}\r\n`)
  } else if (mechanisms.includes('LOGIN')) {
    conversation.send('AUTH LOGIN\r\n')
    await hearReply(conversation, 334)
    conversation.send(`${base64(user)}\r\n`)
    await hearReply(conversation, 334)
    conversation.send(`${base64(password)}\r\n`)
  } else throw new Error('offers no login by PLAIN or LOGIN')
  await hearReply(conversation, 235)
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
