import { isIPv4 } from 'node:net'
import { LoginRefused } from '../probe.ts'
import { shortText, uint16 } from '../protocols/bytes.ts'
import { type Conversation, type Login, overTcp } from '../protocols/conversation.ts'

const NO_LOGIN = 0
const BY_PASSWORD = 2
const NONE = 0xff
const replies = [
  '',
  'general failure',
  'not allowed',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'TTL expired',
  'command not supported',
  'address type not supported',
]

/** The methods (RFC 1928, 3), the login (RFC 1929) and, if there is a destination, CONNECT (RFC 1928, 4). */
export const probeSocks5 = overTcp<'socks5'>(async (conversation, login, check) => {
  const method = await agree(conversation, login)
  if (login !== undefined) await logIn(conversation, login)
  if (check.to === undefined) return
  if (login === undefined && method === BY_PASSWORD) throw new LoginRefused('wants a user and a password')
  await connectTo(conversation, check.to)
})

/** The login is sent only if the proxy must require one. */
async function agree(conversation: Conversation, login: Login | undefined): Promise<number> {
  const offered = login === undefined ? [NO_LOGIN, BY_PASSWORD] : [BY_PASSWORD]
  conversation.send(Buffer.from([5, offered.length, ...offered]))
  const [version, method = NONE] = await conversation.readBytes(2)
  if (version !== 5 || ![...offered, NONE].includes(method)) throw conversation.unlike()
  if (method === NONE) throw new LoginRefused(login === undefined ? 'wants another kind of login' : 'takes no password')
  return method
}

async function logIn(conversation: Conversation, { user, password }: Login): Promise<void> {
  conversation.send(Buffer.of(1), shortText(user), shortText(password))
  const [version, status] = await conversation.readBytes(2)
  if (version !== 1) throw conversation.unlike()
  if (status !== 0) throw new LoginRefused('refuses the login')
}

async function connectTo(conversation: Conversation, to: string): Promise<void> {
  const [host = '', port] = to.split(':')
  const address = isIPv4(host) ? Buffer.from([1, ...host.split('.').map(Number)]) : [Buffer.of(3), shortText(host)]
  conversation.send(Buffer.from([5, 1, 0]), ...[address].flat(), uint16(Number(port)))
  const [version, reply = NONE, reserved] = await conversation.readBytes(3)
  if (version !== 5 || reserved !== 0) throw conversation.unlike()
  if (reply !== 0) throw new Error(`answers ${replies[reply] ?? `code ${reply}`} for ${to}`)
}
