import { shortText, uint16, uint32 } from './bytes.ts'
import { type Conversation, type Login, overTcp, refuses, says } from './conversation.ts'

const METHOD = 1
const FRAME_END = 0xce
/** Methods of the class `connection` (AMQP 0-9-1, 1.4). */
const START = 10
const START_OK = 11
const TUNE = 30
const TUNE_OK = 31
const OPEN = 40
const OPEN_OK = 41
const CLOSE = 50
/** ACCESS_REFUSED and NOT_ALLOWED (1.2). */
const REFUSALS = [403, 530]

/** The header, which the server answers with Start, and the steps to Open-Ok for a login (AMQP 0-9-1, 2.2.4). */
export const probeAmqp = overTcp<'amqp'>(async (conversation, login, check) => {
  conversation.send('AMQP', Buffer.of(0, 0, 9, 1))
  await hear(conversation, START)
  if (login === undefined) return
  tell(conversation, START_OK, writeStartOk(login))
  const tune = await hear(conversation, TUNE)
  if (tune.length !== 8) throw conversation.unlike()
  tell(conversation, TUNE_OK, tune.subarray(0, 6), uint16(0))
  tell(conversation, OPEN, shortText(check.vhost ?? '/'), shortText(''), Buffer.of(0))
  await hear(conversation, OPEN_OK)
  tell(conversation, CLOSE, uint16(200), shortText('enough'), uint16(0), uint16(0))
})

/** RabbitMQ reports a wrong login only to a client that announces this capability; otherwise it hangs up. */
function writeStartOk({ user, password }: Login): Buffer {
  const capabilities = Buffer.concat([shortText('authentication_failure_close'), Buffer.from('t\x01')])
  const properties = Buffer.concat([shortText('capabilities'), Buffer.from('F'), longText(capabilities)])
  const response = Buffer.from(`\0${user}\0${password}`)
  return Buffer.concat([longText(properties), shortText('PLAIN'), longText(response), shortText('en_US')])
}

function longText(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** A frame of the connection itself (2.3). */
function tell({ send }: Conversation, method: number, ...fields: Buffer[]): void {
  const payload = Buffer.concat([uint16(10), uint16(method), ...fields])
  send(Buffer.of(METHOD, 0, 0), uint32(payload.length), payload, Buffer.of(FRAME_END))
}

async function hear({ readBytes, unlike }: Conversation, wanted: number): Promise<Buffer> {
  const head = await readBytes(7)
  if (head.readUIntBE(0, 3) !== METHOD << 16) throw unlike()
  const payload = await readBytes(head.readUInt32BE(3))
  const [end] = await readBytes(1)
  if (end !== FRAME_END || payload.length < 4 || payload.readUInt16BE(0) !== 10) throw unlike()
  const method = payload.readUInt16BE(2)
  const fields = payload.subarray(4)
  if (method === CLOSE && fields.length >= 3) {
    const text = fields.subarray(3, 3 + fields.readUInt8(2)).toString()
    const code = fields.readUInt16BE(0)
    throw (REFUSALS.includes(code) ? refuses : says)(`${code} ${text}`)
  }
  if (method !== wanted) throw unlike()
  return fields
}
