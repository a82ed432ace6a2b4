import type { Socket } from 'node:net'
import { type Answer, addressOf, notYet, silent } from '../check.ts'
import { openConnection, wordError } from '../connect.ts'
import type { Target } from './target.ts'

/** What one try says and hears over one connection. Reading rejects when the server closes or says nothing in time. */
export interface Conversation {
  /** One character of a text is one byte. */
  send(bytes: string | Uint8Array): void
  /** The next line, without its end; one character is one byte. */
  readLine(): Promise<string>
  readBytes(count: number): Promise<Buffer>
}

export interface Line {
  readonly port: number
  readonly tls?: boolean | undefined
}

/** More than any greeting: what goes on without an end is not the protocol that was asked for. */
const MAX_HELD_BYTES = 64 * 1024

/** One try over a new connection, which is closed whatever becomes of it. */
export async function converse(
  { port, tls = false }: Line,
  target: Target,
  signal: AbortSignal,
  patienceMs: number,
  talk: (conversation: Conversation) => Promise<Answer>,
): Promise<Answer> {
  const address = addressOf(target.reach, port)
  let plain: Socket | undefined
  let isPatient = true
  let clock: NodeJS.Timeout | undefined
  try {
    plain = await openConnection(address, signal)
    const socket = tls ? await secure(plain, target.hostname) : plain
    clock = setTimeout(() => {
      isPatient = false
      socket.destroy()
    }, patienceMs)
    return await talk(openConversation(socket))
  } catch (error) {
    signal.throwIfAborted()
    return isPatient ? notYet(wordError(error)) : silent('does not answer')
  } finally {
    clearTimeout(clock)
    plain?.destroy()
  }
}

/** Who it is, is for the tests to verify. */
async function secure(socket: Socket, servername: string): Promise<Socket> {
  const { connect } = await import('node:tls')
  return connect({ socket, servername, rejectUnauthorized: false })
}

function openConversation(socket: Socket): Conversation {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let held: Buffer = Buffer.alloc(0)
  const hearMore = async (): Promise<void> => {
    const { done, value } = await chunks.next()
    if (done === true) throw new Error(held.length === 0 ? 'closes the connection' : `says ${quote(held)}, and closes`)
    held = Buffer.concat([held, value])
    if (held.length > MAX_HELD_BYTES) throw new Error(`says ${quote(held)}, and does not stop`)
  }
  const take = (count: number): Buffer => {
    const taken = held.subarray(0, count)
    held = held.subarray(count)
    return taken
  }
  return {
    send: (bytes) => void (typeof bytes === 'string' ? socket.write(bytes, 'latin1') : socket.write(bytes)),
    async readLine() {
      while (!held.includes('\n')) await hearMore()
      return take(held.indexOf('\n') + 1)
        .toString('latin1')
        .replace(/\r?\n$/, '')
    },
    async readBytes(count) {
      while (held.length < count) await hearMore()
      return take(count)
    },
  }
}

/** What a server has said, short and printable. */
export function quote(said: Uint8Array | string): string {
  const text = typeof said === 'string' ? said : Buffer.from(said).toString('latin1')
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)
}
