import { createSocket, type Socket } from 'node:dgram'
import { type Answer, addressOf, notYet, silent } from '../check.ts'
import { wordError } from '../connect.ts'
import type { Target } from './target.ts'

/** A datagram can be lost, and what is sent to a server that does not listen yet is. */
const AGAIN_MS = 150

/**
 * One try over UDP: sends the question, again and again, until `judge` makes something of a datagram that comes back
 * from there (undefined: not an answer to it), or patience is at its end.
 */
export async function exchange(
  port: number,
  question: Uint8Array,
  judge: (datagram: Buffer) => Answer | undefined,
  { reach }: Target,
  signal: AbortSignal,
  patienceMs: number,
): Promise<Answer> {
  const address = addressOf(reach, port, 'udp')
  const socket = createSocket({ type: address.host.includes(':') ? 'udp6' : 'udp4', signal })
  try {
    await connected(socket, address.port, address.host)
    return await ask(socket, question, judge, signal, patienceMs)
  } catch (error) {
    signal.throwIfAborted()
    return notYet(wordError(error))
  } finally {
    if (!signal.aborted) socket.close()
  }
}

/** A connected socket takes datagrams from that address alone, and is told when nobody listens there. */
function connected(socket: Socket, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.connect(port, host, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function ask(
  socket: Socket,
  question: Uint8Array,
  judge: (datagram: Buffer) => Answer | undefined,
  signal: AbortSignal,
  patienceMs: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      clearInterval(again)
      clearTimeout(clock)
      signal.removeEventListener('abort', stop)
      done()
    }
    const stop = (): void => settle(() => reject(signal.reason as Error))
    const send = (): void =>
      socket.send(question, (error) => {
        if (error !== null) settle(() => reject(error))
      })
    const again = setInterval(send, AGAIN_MS)
    const clock = setTimeout(() => settle(() => resolve(silent('does not answer'))), patienceMs)
    signal.addEventListener('abort', stop, { once: true })
    socket.on('error', (error) => settle(() => reject(error)))
    socket.on('message', (datagram) => {
      const answer = judge(datagram)
      if (answer !== undefined) settle(() => resolve(answer))
    })
    send()
  })
}
