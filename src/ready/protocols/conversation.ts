import type { Socket } from 'node:net'
import type { CheckOf, ProtocolName } from '../../model/protocols.ts'
import { afterReading } from '../after-reading.ts'
import {
  type Answer,
  addressOf,
  answerOfError,
  Closed,
  LoginRefused,
  notYet,
  openConnection,
  type Probe,
  type ProtocolProbe,
  ready,
  reportWhile,
  silent,
  type Target,
} from '../probe.ts'

/** One try over one connection. Reading rejects when the server closes the connection, or says nothing in time. */
export interface Conversation {
  /** Text goes out in UTF-8. */
  send(...parts: (string | Uint8Array)[]): void
  /** The next line, without its end; one character is one byte. */
  readLine(): Promise<string>
  readBytes(count: number): Promise<Buffer>
  /** Error that quotes what the server said since the last message, because the protocol does not allow it. */
  unlike(): Error
}

interface Line {
  readonly port: number
  readonly tls?: boolean | undefined
}

/** Longer than any greeting: a server that sends more speaks another protocol. */
const MAX_HELD_BYTES = 64 * 1024

/** A probe that uses a new connection for each try. `talk` receives the login of the check. */
export function overTcp<Name extends ProtocolName>(
  talk: (conversation: Conversation, login: Login | undefined, check: CheckOf<Name>) => Promise<void>,
): ProtocolProbe<Name> {
  return (check, target) =>
    async (...attempt) => {
      const login = await readLogin(check, target)
      return converse(check, target, attempt, (conversation) => talk(conversation, login, check))
    }
}

/**
 * Makes one try over a new connection, and always closes it. `talk` resolves when the server has answered as expected,
 * and rejects with what it said instead.
 */
export async function converse(
  { port, tls = false }: Line,
  target: Target,
  [signal, patienceMs, waiting = { connectMs: patienceMs, onWait() {} }]: Parameters<Probe>,
  talk: (conversation: Conversation) => Promise<void>,
): Promise<Answer> {
  const address = addressOf(target.reach, port)
  let plain: Socket | undefined
  let conversation: (Conversation & { heard(): Buffer }) | undefined
  let isPatient = true
  let stopClock = (): void => {}
  const say = (): string => {
    const heard = conversation?.heard() ?? ''
    return heard.length === 0 ? 'does not answer' : `says ${quote(heard)}, and no more`
  }
  const endReports = reportWhile(say, waiting)
  try {
    const { isRemote } = target.reach
    plain = (await openConnection({ address, isRemote, connectMs: waiting.connectMs, signal })).socket
    const socket = tls ? await secure(plain, target) : plain
    stopClock = afterReading(patienceMs, () => {
      isPatient = false
      socket.destroy()
    })
    conversation = openConversation(socket)
    await talk(conversation)
    return ready
  } catch (error) {
    if (isPatient) return await answerOfTry(error, target, signal)
    signal.throwIfAborted()
    return silent(say())
  } finally {
    endReports()
    stopClock()
    plain?.destroy()
  }
}

async function secure(plain: Socket, { hostname, readClientCertificate }: Target): Promise<Socket> {
  const [{ connect }, { tlsOptions }] = await Promise.all([import('node:tls'), import('../tls.ts')])
  const options = tlsOptions(hostname, await readClientCertificate?.())
  // The reader of the socket gets the error.
  return connect({ socket: plain, ...options }).on('error', () => {})
}

async function answerOfTry(error: unknown, { hostname }: Target, signal: AbortSignal): Promise<Answer> {
  const tlsWords = (await import('../tls.ts')).wordTlsError(error, hostname)
  return tlsWords === undefined ? answerOfError(error, signal) : notYet(tlsWords)
}

function openConversation(socket: Socket): Conversation & { heard(): Buffer } {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let held: Buffer = Buffer.alloc(0)
  let heard: Buffer = held
  const hearMore = async (): Promise<void> => {
    const { done, value } = await chunks.next()
    if (done === true) throw heard.length === 0 ? new Closed() : new Error(`says ${quote(heard)}, and closes`)
    held = Buffer.concat([held, value])
    if (heard.length < MAX_QUOTED) heard = Buffer.concat([heard, value.subarray(0, 2 * MAX_QUOTED)])
    if (held.length > MAX_HELD_BYTES) throw new Error(`says ${quote(held)}, and does not stop`)
  }
  const take = (count: number): Buffer => {
    const taken = held.subarray(0, count)
    held = held.subarray(count)
    return taken
  }
  return {
    send(...parts) {
      heard = held.subarray(0, 2 * MAX_QUOTED)
      socket.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))))
    },
    async readLine() {
      while (!held.includes('\n')) await hearMore()
      return take(held.indexOf('\n') + 1)
        .toString('latin1')
        .replace(/\r?\n$/, '')
    },
    async readBytes(count) {
      if (count > MAX_HELD_BYTES) throw says(heard)
      while (held.length < count) await hearMore()
      return take(count)
    },
    unlike: () => says(heard),
    heard: () => heard,
  }
}

const MAX_QUOTED = 60

/** Quotes what a server has said, short and printable. */
export function quote(said: Uint8Array | string): string {
  const text = typeof said === 'string' ? said : Buffer.from(said).toString('latin1')
  const short = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED - 3)}…` : text
  return JSON.stringify(short).replace(/[\u007f-\u009f]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)
}

/** Error that quotes an unwanted answer. */
export function says(said: Uint8Array | string): Error {
  return new Error(`says ${quote(said)}`)
}

/** Error that quotes how the server refuses the login. */
export function refuses(said: Uint8Array | string): Error {
  return new LoginRefused(`says ${quote(said)}`)
}

/** A login that is wrong, missing, or of an unaccepted kind (FTP: RFC 959, 5.4; SMTP: RFC 4954, 6). */
const REFUSED_REPLY = /^53[0458][ -]/

/** Reads the lines of one reply, whose code must be one of these (FTP: RFC 959, 4.2; SMTP: RFC 5321, 4.2). */
export async function hearReply({ readLine }: Conversation, ...codes: number[]): Promise<string[]> {
  const lines = [await readLine()]
  const [first = ''] = lines
  if (!codes.some((code) => new RegExp(`^${code}(?:[ -]|$)`).test(first)))
    throw REFUSED_REPLY.test(first) ? refuses(first) : says(first)
  const code = first.slice(0, 3)
  const isMany = first[3] === '-'
  for (let last = first; isMany && last !== code && !last.startsWith(`${code} `); lines.push(last))
    last = await readLine()
  return lines
}

export interface Login {
  readonly user: string
  readonly password: string
}

interface Asked extends Line {
  readonly user?: string | undefined
  readonly password?: { readonly secret: string } | undefined
}

/** Undefined for a check that does not log in. */
async function readLogin({ user, password }: Asked, target: Target): Promise<Login | undefined> {
  if (user === undefined || password === undefined) return undefined
  return { user, password: await target.readSecret(password.secret) }
}

/** Returns the text if it fits on one line: a second line would be another command. */
export function onOneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new Error('cannot be sent a password of more than one line')
  return text
}
