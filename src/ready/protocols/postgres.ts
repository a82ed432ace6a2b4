import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { LoginRefused } from '../probe.ts'
import { uint32, zeroEnded } from './bytes.ts'
import { type Conversation, type Login, overTcp, quote } from './conversation.ts'

const PROTOCOL_3 = 3 << 16
/** Kinds of authentication (PostgreSQL's documentation, "Message Formats"). */
const OK = 0
const CLEARTEXT = 3
const MD5 = 5
const SASL = 10
const SASL_CONTINUE = 11
const SASL_FINAL = 12

interface Message {
  readonly type: string
  readonly body: Buffer
}

/**
 * The start of protocol 3.0 (PostgreSQL's documentation, "Message Flow") and, with a login, the steps to ReadyForQuery.
 * Without one, a request for a login or a refusal is enough, unless it says that the server is starting or stopping.
 */
export const probePostgres = overTcp<'postgres'>(async (conversation, login, check) => {
  const user = login?.user ?? 'postgres'
  const words = ['user', user, 'database', check.database ?? user, 'application_name', 'testfleet']
  const start = Buffer.concat([uint32(PROTOCOL_3), ...words.map(zeroEnded), Buffer.of(0)])
  conversation.send(uint32(start.length + 4), start)
  if (login === undefined) return hearAnything(conversation)
  await logIn(conversation, login)
  while ((await hear(conversation)).type !== 'Z');
  tell(conversation, 'X')
})

async function hearAnything(conversation: Conversation): Promise<void> {
  const { type, body } = await hearMessage(conversation)
  // Class 57, "operator intervention": it starts, it stops, it has crashed.
  if (type === 'E' && readFields(body).get('C')?.startsWith('57') === true) throw wordRefusal(body)
}

async function logIn(conversation: Conversation, { user, password }: Login): Promise<void> {
  for (;;) {
    const [kind, data] = await hearAuthentication(conversation)
    if (kind === OK) return
    if (kind === CLEARTEXT) tell(conversation, 'p', zeroEnded(password))
    else if (kind === MD5) tell(conversation, 'p', zeroEnded(`md5${md5(md5(password + user), data.subarray(0, 4))}`))
    else if (kind === SASL) await logInByScram(conversation, data, password)
    else throw new Error(`asks for a login of another kind (${kind})`)
  }
}

async function logInByScram(conversation: Conversation, mechanisms: Buffer, password: string): Promise<void> {
  if (!mechanisms.toString('latin1').split('\0').includes('SCRAM-SHA-256')) throw conversation.unlike()
  const scram = openScram(password)
  tell(conversation, 'p', zeroEnded('SCRAM-SHA-256'), uint32(scram.first.length), Buffer.from(scram.first))
  const [kind, first] = await hearAuthentication(conversation)
  const answer = kind === SASL_CONTINUE ? await scram.answer(first.toString('latin1')) : undefined
  if (answer === undefined) throw conversation.unlike()
  tell(conversation, 'p', Buffer.from(answer.final))
  const [last, final] = await hearAuthentication(conversation)
  if (last !== SASL_FINAL || !answer.isSignedBy(final.toString('latin1'))) throw conversation.unlike()
}

function md5(text: string, salt: Uint8Array = Buffer.alloc(0)): string {
  return createHash('md5').update(text).update(salt).digest('hex')
}

function tell({ send }: Conversation, type: string, ...fields: Buffer[]): void {
  const body = Buffer.concat(fields)
  send(type, uint32(body.length + 4), body)
}

async function hearAuthentication(conversation: Conversation): Promise<[kind: number, data: Buffer]> {
  const { type, body } = await hear(conversation)
  if (type !== 'R') throw conversation.unlike()
  return [body.readUInt32BE(0), body.subarray(4)]
}

async function hear(conversation: Conversation): Promise<Message> {
  const message = await hearMessage(conversation)
  if (message.type === 'E') throw wordRefusal(message.body)
  return message
}

/** Messages between a startup message and ReadyForQuery. */
async function hearMessage({ readBytes, unlike }: Conversation): Promise<Message> {
  for (;;) {
    const head = await readBytes(5)
    const type = head.toString('latin1', 0, 1)
    const length = head.readUInt32BE(1) - 4
    if (!'RESKNZv'.includes(type) || length < 0) throw unlike()
    const body = await readBytes(length)
    if (type === 'R' && length < 4) throw unlike()
    if (type === 'E' && readFields(body).get('C') === undefined) throw unlike()
    if (type !== 'N' && type !== 'v') return { type, body }
  }
}

/** `S`everity, `C`ode, `M`essage. */
function readFields(body: Buffer): Map<string, string> {
  const fields = body.toString('latin1').split('\0')
  return new Map(fields.filter((field) => field !== '').map((field) => [field.slice(0, 1), field.slice(1)]))
}

/** A wrong password, a user or method that is not allowed, or a database that does not exist. */
const REFUSALS = ['28P01', '28000', '3D000']

function wordRefusal(body: Buffer): Error {
  const fields = readFields(body)
  const code = fields.get('C') ?? ''
  const words = `answers ${quote(code)}: ${quote(fields.get('M') ?? '')}`
  return REFUSALS.includes(code) ? new LoginRefused(words) : new Error(words)
}

/** More than any server requests. Without a limit, the number that is sent could keep this machine busy for minutes. */
const MAX_ITERATIONS = 1_000_000
const HASH_BYTES = 32

/** SCRAM-SHA-256 (RFC 5802, 3; RFC 7677), without a name: PostgreSQL has it from the start of the connection. */
function openScram(password: string) {
  const nonce = randomBytes(18).toString('base64')
  const bare = `n=,r=${nonce}`
  return {
    first: `n,,${bare}`,
    /** Returns the answer to the server's first message, or undefined when that is not SCRAM. */
    async answer(serverFirst: string) {
      const said = /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})(?:,|$)/.exec(serverFirst)
      const [, both = '', salt = '', iterations = ''] = said ?? []
      if (!both.startsWith(nonce) || Number(iterations) < 1 || Number(iterations) > MAX_ITERATIONS) return undefined
      const saltBytes = Buffer.from(salt, 'base64')
      const normal = password.normalize('NFKC')
      const salted = await promisify(pbkdf2)(normal, saltBytes, Number(iterations), HASH_BYTES, 'sha256')
      const unproven = `c=biws,r=${both}`
      const exchanged = `${bare},${serverFirst},${unproven}`
      const clientKey = sign(salted, 'Client Key')
      const signature = sign(createHash('sha256').update(clientKey).digest(), exchanged)
      const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))
      const serverSignature = sign(sign(salted, 'Server Key'), exchanged)
      return {
        final: `${unproven},p=${Buffer.from(proof).toString('base64')}`,
        isSignedBy: (serverFinal: string) => isSame(serverFinal, serverSignature),
      }
    },
  }
}

function sign(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function isSame(serverFinal: string, signature: Buffer): boolean {
  const said = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? '', 'base64')
  return said.length === signature.length && timingSafeEqual(said, signature)
}
