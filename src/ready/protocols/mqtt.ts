import { randomBytes } from 'node:crypto'
import { LoginRefused } from '../probe.ts'
import { uint16 } from './bytes.ts'
import { type Login, overTcp } from './conversation.ts'

const refusals = ['', 'protocol version', 'client identifier', 'server unavailable', 'wrong login', 'not authorized']
const WRONG_LOGIN = 4
const NOT_AUTHORIZED = 5
const WITH_LOGIN = 0xc0
const CLEAN_SESSION = 2
const KEEP_ALIVE_S = 60

/** CONNECT and CONNACK (MQTT 3.1.1, 3.1 and 3.2). */
export const probeMqtt = overTcp<'mqtt'>(async ({ send, readBytes, unlike }, login) => {
  send(writeConnect(login))
  const [type, length, flags = 2, code] = await readBytes(4)
  if (type !== 0x20 || length !== 2 || flags > 1 || code === undefined) throw unlike()
  const words = `refuses: ${refusals[code] ?? `code ${code}`}`
  if (code === WRONG_LOGIN || code === NOT_AUTHORIZED) throw new LoginRefused(words)
  if (code !== 0) throw new Error(words)
  send(Buffer.of(0xe0, 0))
})

function writeConnect(login: Login | undefined): Buffer {
  const body = Buffer.concat([
    text('MQTT'),
    Buffer.from([4, CLEAN_SESSION | (login === undefined ? 0 : WITH_LOGIN)]),
    uint16(KEEP_ALIVE_S),
    text(`testfleet${randomBytes(6).toString('hex')}`),
    ...(login === undefined ? [] : [text(login.user), text(login.password)]),
  ])
  return Buffer.concat([Buffer.of(0x10), writeLength(body.length), body])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  if (bytes.length > 0xffff) throw new Error('cannot be sent a password of more than 65535 bytes')
  return Buffer.concat([uint16(bytes.length), bytes])
}

/** Seven bits a byte, the lowest first (2.2.3). */
function writeLength(length: number): Buffer {
  const more = length >> 7
  return more === 0 ? Buffer.of(length) : Buffer.concat([Buffer.of((length & 0x7f) | 0x80), writeLength(more)])
}
