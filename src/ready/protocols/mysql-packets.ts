import { uint8, zeroEnded } from './bytes.ts'
import { type Conversation, quote } from './conversation.ts'

export interface Packets {
  /** The next packet; rejects with what it says when that is an error. */
  hear(): Promise<Buffer>
  /** What belongs to what was heard. */
  tell(payload: Buffer): void
  /** A command of its own. */
  ask(payload: Buffer): void
  greet(user: string, proof: Buffer, plugin: string): void
  unlike(): Error
}

export interface Greeting {
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

/** Packets: a length in three bytes, the lowest first, and a number that goes up (MySQL's documentation, "Protocol Basics"). */
export function openPackets({ send, readBytes, unlike }: Conversation): Packets {
  let number = 0
  const tell = (payload: Buffer): void => {
    const head = Buffer.alloc(4)
    head.writeUIntLE(payload.length, 0, 3)
    head.writeUInt8(number++ & 0xff, 3)
    send(head, payload)
  }
  return {
    tell,
    unlike,
    ask(payload) {
      number = 0
      tell(payload)
    },
    greet: (user, proof, plugin) => tell(writeResponse(user, proof, plugin)),
    async hear() {
      const head = await readBytes(4)
      if (head[3] !== (number & 0xff)) throw unlike()
      number++
      const payload = await readBytes(head.readUIntLE(0, 3))
      if (payload.length === 0) throw unlike()
      if (payload[0] === REFUSES) throw wordRefusal(payload) ?? unlike()
      return payload
    },
  }
}

/** A code, a state with its sign in front once that is known, and words. */
function wordRefusal(payload: Buffer): Error | undefined {
  if (payload.length < 4) return undefined
  const words = payload.toString('latin1', payload[3] === 0x23 ? 9 : 3)
  return new Error(`says ${quote(`${payload.readUInt16LE(1)} ${words}`)}`)
}

/** Undefined when it is none of version 10, with words for a login. */
export function readGreeting(payload: Buffer): Greeting | undefined {
  const version = readZeroEnded(payload.subarray(1))
  const rest = payload.subarray(2 + version.length)
  if (payload[0] !== GREETING_10 || rest.length < 44 || rest[12] !== 0) return undefined
  const salt = Buffer.concat([rest.subarray(4, 12), rest.subarray(31, 43)])
  return { salt, plugin: readZeroEnded(rest.subarray(44)).toString('latin1') }
}

export function readZeroEnded(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0)
  return end === -1 ? bytes : bytes.subarray(0, end)
}

function writeResponse(user: string, proof: Buffer, plugin: string): Buffer {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH, 0)
  head.writeUInt32LE(MAX_PACKET_BYTES, 4)
  head.writeUInt8(UTF8MB4, 8)
  return Buffer.concat([head, zeroEnded(user), uint8(proof.length), proof, zeroEnded(plugin)])
}
