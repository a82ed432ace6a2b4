import { type Conversation, type Login, overTcp, refuses, says } from '../protocols/conversation.ts'

/** An address of the proxy itself at which nothing listens, so that the request leads nowhere. */
const NOWHERE = '127.0.0.1:1'

/** How a server that is no proxy answers CONNECT. */
const unaware = [400, 404, 405, 501]

/** CONNECT (RFC 9110, 9.3.6), with a login in its Basic form (RFC 7617). */
export const probeHttpProxy = overTcp<'httpProxy'>(async (conversation, login, check) => {
  const to = check.to ?? NOWHERE
  conversation.send(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${authorize(login)}\r\n`)
  const { line, status } = await readStatus(conversation)
  const isEnough = check.to === undefined ? !unaware.includes(status) : status >= 200 && status < 300
  if (status === 407 && (login !== undefined || check.to !== undefined)) throw refuses(line)
  if (!isEnough) throw says(line)
})

function authorize(login: Login | undefined): string {
  if (login === undefined) return ''
  if (login.user.includes(':')) throw new Error('cannot be sent a user name with a colon')
  return `Proxy-Authorization: Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}\r\n`
}

async function readStatus({ readLine }: Conversation): Promise<{ line: string; status: number }> {
  const line = await readLine()
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1]
  if (status === undefined) throw says(line)
  return { line, status: Number(status) }
}
