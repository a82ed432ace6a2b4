import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { onAbort } from '../../model/on-abort.ts'
import type { CheckOf, ProtocolName } from '../../model/protocols.ts'
import { afterReading } from '../after-reading.ts'
import {
  type Address,
  type Answer,
  addressOf,
  answerOfError,
  notYet,
  type Probe,
  type ProtocolProbe,
  ready,
  reportWhile,
  silent,
  type Target,
  wordError,
} from '../probe.ts'

/** A datagram can be lost, and is lost when the server does not listen yet. A slow server is asked less often. */
const AGAIN_MS = 150
const LONGEST_AGAIN_MS = 5000

const SILENCE = 'does not answer'

interface Question {
  readonly bytes: Uint8Array
  /** Throws an error that quotes the datagram when it is not the wanted answer. */
  judge(datagram: Buffer): void
  /** Last datagram to a server that answers each client from a new port. */
  readonly goodbye?: Uint8Array
}

/** A probe that sends a new request in each try. */
export function overUdp<Name extends ProtocolName>(
  write: (check: CheckOf<Name>, target: Target) => Question | Promise<Question>,
): ProtocolProbe<Name> {
  return (check, target) =>
    async (...attempt) =>
      exchange(await write(check, target), check.port, target, attempt)
}

/** One try over UDP: repeats the request until an answer arrives. */
async function exchange(
  question: Question,
  port: number,
  { reach }: Target,
  [signal, patienceMs, waiting = { connectMs: patienceMs, onWait() {} }]: Parameters<Probe>,
): Promise<Answer> {
  const isConnected = question.goodbye === undefined
  // A datagram from another port of the server does not pass a published port.
  const address = (isConnected ? undefined : reach.direct(port)) ?? addressOf(reach, port, 'udp')
  const socket = createSocket(address.host.includes(':') ? 'udp6' : 'udp4')
  const endReports = reportWhile(() => SILENCE, waiting)
  let stopListening = (): void => {}
  try {
    signal.throwIfAborted()
    stopListening = onAbort(signal, () => void socket.emit('error', signal.reason))
    if (isConnected) {
      // The socket then receives datagrams from that address only, and an error when nothing listens there.
      const connected = once(socket, 'connect')
      socket.connect(address.port, address.host)
      await connected
    }
    return await ask(socket, question, address, patienceMs)
  } catch (error) {
    return answerOfError(error, signal)
  } finally {
    endReports()
    stopListening()
    socket.close()
  }
}

function ask(socket: Socket, question: Question, { port, host }: Address, patienceMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      clearTimeout(again)
      stopClock()
      done()
    }
    const onSent = (error: Error | null): void => {
      if (error !== null) settle(() => reject(error))
    }
    const send = (): void => {
      if (question.goodbye === undefined) socket.send(question.bytes, onSent)
      else socket.send(question.bytes, port, host, onSent)
    }
    const hear = (datagram: Buffer, from: RemoteInfo): void => {
      if (question.goodbye !== undefined) {
        if (isIP(host) !== 0 && from.address !== host) return
        socket.send(question.goodbye, from.port, from.address)
      }
      settle(() => resolve(look(question, datagram)))
    }
    let again: NodeJS.Timeout
    const sendAgain = (delayMs: number): void => {
      send()
      again = setTimeout(sendAgain, delayMs, Math.min(delayMs * 2, LONGEST_AGAIN_MS))
    }
    const stopClock = afterReading(patienceMs, () => settle(() => resolve(silent(SILENCE))))
    socket.on('error', (error) => settle(() => reject(error)))
    socket.on('message', hear)
    sendAgain(AGAIN_MS)
  })
}

function look({ judge }: Question, datagram: Buffer): Answer {
  try {
    judge(datagram)
    return ready
  } catch (error) {
    return notYet(wordError(error))
  }
}
