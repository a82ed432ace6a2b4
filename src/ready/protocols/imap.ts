import { type Conversation, type Login, overTcp, refuses, says } from './conversation.ts'

/** IMAP (RFC 9051, 7.1 and 6.2.3): the greeting, and LOGIN where there is a login. */
export const probeImap = overTcp<'imap'>(async (conversation, login) => {
  const greeting = await conversation.readLine()
  if (!/^\* (?:OK|PREAUTH) /i.test(greeting)) throw says(greeting)
  if (login !== undefined) await logIn(conversation, login)
  conversation.send('z LOGOUT\r\n')
})

/** Sends literals with their lengths, so that no character in them has a meaning. */
async function logIn(conversation: Conversation, { user, password }: Login): Promise<void> {
  conversation.send(`a LOGIN {${Buffer.byteLength(user)}}\r\n`)
  await hear(conversation, /^\+/)
  conversation.send(`${user} {${Buffer.byteLength(password)}}\r\n`)
  await hear(conversation, /^\+/)
  conversation.send(`${password}\r\n`)
  await hear(conversation, /^a OK /i)
}

/** Response codes of a server that cannot check a login now (RFC 5530, 3). */
const TEMPORARY = /\[(?:UNAVAILABLE|SERVERBUG|INUSE|LIMIT)\]|temporar/i

async function hear({ readLine }: Conversation, wanted: RegExp): Promise<void> {
  for (;;) {
    const line = await readLine()
    if (wanted.test(line)) return
    if (/^a NO /i.test(line) && !TEMPORARY.test(line)) throw refuses(line)
    if (!/^\* (?!BYE )/i.test(line)) throw says(line)
  }
}
