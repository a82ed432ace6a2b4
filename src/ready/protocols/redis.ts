import { notYet, ready } from '../check.ts'
import { type Conversation, converse, quote } from './conversation.ts'
import type { ProtocolProbe } from './target.ts'

/** PING, after AUTH where there is a password, in the protocol's own form (RESP2, as Redis documents it). */
export const probeRedis: ProtocolProbe<'redis'> = (check, target) => async (signal, patienceMs) => {
  const password = check.password === undefined ? undefined : await target.readSecret(check.password.secret)
  return converse(check, target, signal, patienceMs, async (conversation) => {
    if (password !== undefined) {
      const login = check.user === undefined ? [password] : [check.user, password]
      const answer = await command(conversation, 'AUTH', ...login)
      if (answer !== '+OK') return notYet(`says ${quote(answer)}`)
    }
    const answer = await command(conversation, 'PING')
    return answer === '+PONG' ? ready : notYet(`says ${quote(answer)}`)
  })
}

/** An array of strings, each with its length in front: nothing in them has a meaning. */
function command({ send, readLine }: Conversation, ...words: string[]): Promise<string> {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  send(Buffer.from(`*${words.length}\r\n${parts.join('')}`))
  return readLine()
}
