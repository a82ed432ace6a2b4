import * as ber from '../../formats/ber.ts'
import { LoginRefused } from '../probe.ts'
import { type Conversation, overTcp, quote } from './conversation.ts'

const VERSION = 3
const MESSAGE_ID = 1
const BIND_REQUEST = 0x60
const BIND_RESPONSE = 0x61
const UNBIND_REQUEST = 0x42
const SIMPLE = 0x80
/** Result codes that a server gives to a bind (RFC 4511, A.1). */
const codes = new Map([
  [1, 'operationsError'],
  [2, 'protocolError'],
  [7, 'authMethodNotSupported'],
  [8, 'strongerAuthRequired'],
  [13, 'confidentialityRequired'],
  [32, 'noSuchObject'],
  [34, 'invalidDNSyntax'],
  [48, 'inappropriateAuthentication'],
  [49, 'invalidCredentials'],
  [50, 'insufficientAccessRights'],
  [51, 'busy'],
  [52, 'unavailable'],
  [53, 'unwillingToPerform'],
])

/** Result codes for a refused login. */
const REFUSALS = [7, 8, 13, 32, 34, 48, 49, 50]

/** A simple bind (RFC 4511, 4.2) and its result. */
export const probeLdap = overTcp<'ldap'>(async (conversation, login) => {
  const { user, password } = login ?? { user: '', password: '' }
  const bind = [ber.integer(VERSION), ber.octetString(user), ber.tagged(SIMPLE, password)]
  conversation.send(ber.sequence(ber.integer(MESSAGE_ID), ber.tagged(BIND_REQUEST, ...bind)))
  const [id, response] = ber.readValues(await readMessage(conversation))
  if (ber.readInteger(id) !== MESSAGE_ID || response?.tag !== BIND_RESPONSE) throw conversation.unlike()
  const [result, , diagnostics] = ber.readValues(response.content)
  const code = ber.readInteger(result)
  if (code === undefined) throw conversation.unlike()
  const text = diagnostics === undefined || diagnostics.content.length === 0 ? '' : `: ${quote(diagnostics.content)}`
  const words = `answers ${codes.get(code) ?? 'code'} (${code})${text}`
  if (REFUSALS.includes(code)) throw new LoginRefused(words)
  if (code !== 0) throw new Error(words)
  conversation.send(ber.sequence(ber.integer(MESSAGE_ID + 1), ber.tagged(UNBIND_REQUEST)))
})

async function readMessage({ readBytes, unlike }: Conversation): Promise<Buffer> {
  let message = await readBytes(2)
  if (message[0] !== ber.tags.sequence) throw unlike()
  const first = message[1] ?? 0
  if (first >= 0x80) message = Buffer.concat([message, await readBytes(Math.min(first & 0x7f, 4))])
  const length = first < 0x80 ? first : message.readUIntBE(2, Math.max(message.length - 2, 1))
  const whole = ber.readValue(Buffer.concat([message, await readBytes(length)]))
  if (whole === undefined) throw unlike()
  return whole.content
}
