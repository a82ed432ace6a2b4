import type { ProtocolProbe } from '../probe.ts'
import { type Conversation, converse, refuses, says } from './conversation.ts'

/** PING, after AUTH where there is a password, in the protocol's own form (RESP2, as Redis documents it). */
export const probeRedis: ProtocolProbe<'redis'> =
  (check, target) =>
  async (...attempt) => {
    const password = check.password === undefined ? undefined : await target.readSecret(check.password.secret)
    return converse(check, target, attempt, async (conversation) => {
      if (password !== undefined) {
        const login = check.user === undefined ? [password] : [check.user, password]
        await command(conversation, '+OK', 'AUTH', ...login)
      }
      await command(conversation, '+PONG', 'PING')
    })
  }

/** The login is wrong, missing, or not required (Redis 5 to 7). */
const REFUSAL = /^-(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:invalid password|Client sent AUTH|AUTH <password> called))/

/** Sends an array of strings with their lengths, so that no character in them has a meaning. */
async function command({ send, readLine }: Conversation, wanted: string, ...words: string[]): Promise<void> {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  send(`*${words.length}\r\n`, ...parts)
  const answer = await readLine()
  if (answer !== wanted) throw REFUSAL.test(answer) ? refuses(answer) : says(answer)
}
