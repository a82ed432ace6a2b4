import { constants, createHash, publicEncrypt } from 'node:crypto'
import { zeroEnded } from './bytes.ts'
import { type Conversation, type Login, overTcp, quote, refuses, says } from './conversation.ts'

const OK = 0
const MORE = 1
const SWITCH = 0xfe
const PING = 0x0e
const QUIT = 0x01
const FAST_IS_ENOUGH = 3
const WANTS_ALL = 4
const ASKS_FOR_KEY = 2

/** The greeting and, with a login, the authentication and COM_PING (MySQL's documentation, "Connection Phase"). */
export const probeMysql = overTcp<'mysql'>(async (conversation, login) => {
  const packets = new Packets(conversation)
  const greeting = readGreeting(await packets.hear())
  if (greeting === undefined) throw conversation.unlike()
  if (login === undefined) return
  if (!(await logIn(packets, greeting, login))) throw conversation.unlike()
  packets.ask(PING)
  const [answer] = await packets.hear()
  if (answer !== OK) throw conversation.unlike()
  packets.ask(QUIT)
})

/** Returns false when the server sends something that is not part of a login. */
async function logIn(packets: Packets, greeting: Greeting, { user, password }: Login): Promise<boolean> {
  let { plugin, salt } = greeting
  const begun = isKnownPlugin(plugin) ? plugin : 'mysql_native_password'
  packets.tell(writeResponse(user, answerPlugin(begun, password, salt), begun))
  for (;;) {
    const answer = await packets.hear()
    const [kind, more] = answer
    if (kind === OK) return true
    if (kind === SWITCH) {
      plugin = readZeroEnded(answer.subarray(1)).toString('latin1')
      salt = answer.subarray(2 + plugin.length, 22 + plugin.length)
      if (!isKnownPlugin(plugin)) throw new Error(`wants a login by ${quote(plugin)}, which this check does not speak`)
      packets.tell(answerPlugin(plugin, password, salt))
    } else if (kind === MORE && more === WANTS_ALL) {
      packets.tell(Buffer.of(ASKS_FOR_KEY))
      const key = await packets.hear()
      packets.tell(encryptPassword(key.subarray(1), password, salt))
    } else if (kind !== MORE || more !== FAST_IS_ENOUGH) return false
  }
}

interface Greeting {
  readonly salt: Buffer
  readonly plugin: string
}

const REFUSES = 0xff
const GREETING_10 = 10
const LONG_PASSWORD = 0x1
const PROTOCOL_41 = 0x200
const SECURE_CONNECTION = 0x8000
const PLUGIN_AUTH = 0x80000
const MAX_PACKET_BYTES = 1 << 24
const UTF8MB4 = 45

/** Packets: a length in three bytes, the lowest first, and a counter (MySQL's documentation, "Protocol Basics"). */
class Packets {
  readonly #conversation: Conversation
  #number = 0

  constructor(conversation: Conversation) {
    this.#conversation = conversation
  }

  /** Continues the exchange. */
  tell(payload: Buffer): void {
    const head = Buffer.alloc(4)
    head.writeUIntLE(payload.length, 0, 3)
    head.writeUInt8(this.#number++ & 0xff, 3)
    this.#conversation.send(head, payload)
  }

  /** Starts a new command. */
  ask(command: number): void {
    this.#number = 0
    this.tell(Buffer.of(command))
  }

  /** Reads the next packet; rejects with its message when it is an error. */
  async hear(): Promise<Buffer> {
    const { readBytes, unlike } = this.#conversation
    const head = await readBytes(4)
    if (head[3] !== (this.#number++ & 0xff)) throw unlike()
    const payload = await readBytes(head.readUIntLE(0, 3))
    if (payload.length === 0) throw unlike()
    if (payload[0] === REFUSES) throw wordRefusal(payload) ?? unlike()
    return payload
  }
}

/** Access denied, to the server or to a database, for this user or from this machine. */
const REFUSALS = [1044, 1045, 1130, 1698]

/** A refusal has a code, in later versions also a state that begins with `#`, and a message. */
function wordRefusal(payload: Buffer): Error | undefined {
  if (payload.length < 4) return undefined
  const words = payload.toString('latin1', payload[3] === 0x23 ? 9 : 3)
  const code = payload.readUInt16LE(1)
  return (REFUSALS.includes(code) ? refuses : says)(`${code} ${words}`)
}

/** Undefined when the payload is no greeting of version 10 with support for a login. */
function readGreeting(payload: Buffer): Greeting | undefined {
  const version = readZeroEnded(payload.subarray(1))
  const rest = payload.subarray(2 + version.length)
  if (payload[0] !== GREETING_10 || rest.length < 44 || rest[12] !== 0) return undefined
  const salt = Buffer.concat([rest.subarray(4, 12), rest.subarray(31, 43)])
  return { salt, plugin: readZeroEnded(rest.subarray(44)).toString('latin1') }
}

function readZeroEnded(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0)
  return end === -1 ? bytes : bytes.subarray(0, end)
}

function writeResponse(user: string, proof: Buffer, plugin: string): Buffer {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH, 0)
  head.writeUInt32LE(MAX_PACKET_BYTES, 4)
  head.writeUInt8(UTF8MB4, 8)
  return Buffer.concat([head, zeroEnded(user), Buffer.of(proof.length), proof, zeroEnded(plugin)])
}

/** Authentication plugins for which a password is enough (MySQL's documentation, "Authentication Methods"). */
const plugins = {
  mysql_native_password: (password: Buffer, salt: Buffer): Buffer => {
    const once = hash('sha1', password)
    return mix(once, hash('sha1', salt, hash('sha1', once)))
  },
  caching_sha2_password: (password: Buffer, salt: Buffer): Buffer => {
    const once = hash('sha256', password)
    return mix(once, hash('sha256', hash('sha256', once), salt))
  },
}

type Plugin = keyof typeof plugins

function isKnownPlugin(name: string): name is Plugin {
  return Object.hasOwn(plugins, name)
}

function answerPlugin(plugin: Plugin, password: string, salt: Buffer): Buffer {
  return password === '' ? Buffer.alloc(0) : plugins[plugin](Buffer.from(password), salt)
}

/** For a server that has not seen the password yet: encrypted with the key that it sent. */
function encryptPassword(key: Buffer, password: string, salt: Buffer): Buffer {
  const hidden = mix(Buffer.from(`${password}\0`), salt)
  try {
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, hidden)
  } catch {
    throw new Error('sends no key to hide the password with')
  }
}

function hash(algorithm: string, ...parts: Buffer[]): Buffer {
  return createHash(algorithm).update(Buffer.concat(parts)).digest()
}

/** Combines each byte with one of the other, which is repeated if it is shorter. */
function mix(bytes: Buffer, by: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (by[index % by.length] ?? 0)))
}
