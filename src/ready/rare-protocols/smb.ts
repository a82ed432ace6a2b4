import { randomBytes } from 'node:crypto'
import { type Conversation, overTcp } from '../protocols/conversation.ts'

const HEADER_BYTES = 64
const REQUEST_BYTES = 36
const RESPONSE_BYTES = 64
const PROTOCOL = Buffer.from('\xfeSMB', 'latin1')
const NEGOTIATE = 0
const FROM_SERVER = 1
const SIGNING_ENABLED = 1
/** From SMB 2.0.2 to 3.1.1. */
const dialects = [0x0202, 0x0210, 0x0300, 0x0302, 0x0311]
const PREAUTH_INTEGRITY = 1
const SHA_512 = 1
const SALT_BYTES = 32

/** NEGOTIATE and its answer ([MS-SMB2] 2.2.3 and 2.2.4), over TCP without NetBIOS (2.1). */
export const probeSmb = overTcp<'smb'>(async (conversation) => {
  const request = Buffer.concat([writeHeader(), writeNegotiate(), writePreauthIntegrity()])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(request.length)
  conversation.send(length, request)
  judge(await hear(conversation), conversation)
})

/** 2.2.1.2; the message is the first, 0. */
function writeHeader(): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  PROTOCOL.copy(header)
  header.writeUInt16LE(HEADER_BYTES, 4)
  header.writeUInt16LE(NEGOTIATE, 12)
  header.writeUInt16LE(1, 14) // credits
  return header
}

/** The contexts of 3.1.1 begin at a multiple of 8 bytes. */
function writeNegotiate(): Buffer {
  const end = REQUEST_BYTES + 2 * dialects.length
  const negotiate = Buffer.alloc(Math.ceil(end / 8) * 8)
  negotiate.writeUInt16LE(REQUEST_BYTES, 0)
  negotiate.writeUInt16LE(dialects.length, 2)
  negotiate.writeUInt16LE(SIGNING_ENABLED, 4)
  randomBytes(16).copy(negotiate, 12)
  negotiate.writeUInt32LE(HEADER_BYTES + negotiate.length, 28)
  negotiate.writeUInt16LE(1, 32) // contexts
  for (const [index, dialect] of dialects.entries()) negotiate.writeUInt16LE(dialect, REQUEST_BYTES + 2 * index)
  return negotiate
}

/** The context that version 3.1.1 requires (2.2.3.1.1). */
function writePreauthIntegrity(): Buffer {
  const context = Buffer.alloc(14)
  context.writeUInt16LE(PREAUTH_INTEGRITY, 0)
  context.writeUInt16LE(6 + SALT_BYTES, 2)
  context.writeUInt16LE(1, 8) // algorithms
  context.writeUInt16LE(SALT_BYTES, 10)
  context.writeUInt16LE(SHA_512, 12)
  return Buffer.concat([context, randomBytes(SALT_BYTES)])
}

/** A message of SMB 1 begins with another byte; it is reported as it is. */
async function hear({ readBytes, unlike }: Conversation): Promise<Buffer> {
  const length = (await readBytes(4)).readUInt32BE(0)
  if (length < HEADER_BYTES || length > 0xff_ffff) throw unlike()
  const message = await readBytes(length)
  if (!message.subarray(0, 4).equals(PROTOCOL)) throw unlike()
  return message
}

function judge(message: Buffer, { unlike }: Conversation): void {
  const isAnswer =
    message.readUInt16LE(4) === HEADER_BYTES &&
    message.readUInt16LE(12) === NEGOTIATE &&
    (message.readUInt32LE(16) & FROM_SERVER) !== 0 &&
    message.readBigUInt64LE(24) === 0n
  if (!isAnswer) throw unlike()
  const status = message.readUInt32LE(8)
  if (status !== 0) throw new Error(`answers the status 0x${status.toString(16).padStart(8, '0')}`)
  const body = message.subarray(HEADER_BYTES)
  // It says 65, for one byte of what is as long as it likes.
  const isWhole = body.length >= RESPONSE_BYTES && body.readUInt16LE(0) === RESPONSE_BYTES + 1
  if (!isWhole || !dialects.includes(body.readUInt16LE(4))) throw unlike()
}
