import { hearReply, onOneLine, overTcp } from '../protocols/conversation.ts'

/** FTP (RFC 959, 5.4): a greeting that says that it is ready now, and USER and PASS where there is a login. */
export const probeFtp = overTcp<'ftp'>(async (conversation, login) => {
  await hearReply(conversation, 220)
  if (login !== undefined) {
    conversation.send(`USER ${login.user}\r\n`)
    const [answer = ''] = await hearReply(conversation, 230, 331)
    if (answer.startsWith('331')) {
      conversation.send(`PASS ${onOneLine(login.password)}\r\n`)
      await hearReply(conversation, 202, 230)
    }
  }
  conversation.send('QUIT\r\n')
})
