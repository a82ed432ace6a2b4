import type { Socket } from 'node:net'
import type { ReadyCheck } from '../model/fleet.ts'
import { afterReading } from './after-reading.ts'
import {
  type Answer,
  addressOf,
  answerOfError,
  type Dialing,
  notYet,
  openConnection,
  type Probe,
  type Reach,
  ready,
  reportWhile,
  silent,
  unheard,
  type Waiting,
} from './probe.ts'

type TcpCheck = Extract<ReadyCheck, { kind: 'tcp' }>

/**
 * The engine's userland proxy accepts every connection to a published port, and closes it when nothing listens there
 * (20.10 to 28: within a millisecond). That end arrives one round trip after the connection. A connection that stays
 * open for twice that time plus this pause is the server's. A tunnel to another machine may accept the connection
 * itself, so that the time to connect says nothing about the distance.
 */
const SETTLE_MS = 50
const REMOTE_SETTLE_MS = 500
const LONGEST_SETTLE_MS = 3000
const MAX_ANSWER_BYTES = 64 * 1024
/** How long a server that said something else, such as that it is loading, may be quiet before the next try. */
const LONGEST_QUIET_MS = 500

/** Holds when the server keeps the connection open or, with `expect`, says the expected text. */
export function probeTcp(check: TcpCheck, reach: Reach): Probe {
  return async (signal, patienceMs, waiting = { connectMs: patienceMs, onWait() {} }) => {
    const address = addressOf(reach, check.port)
    const dialing = { address, isRemote: reach.isRemote, connectMs: waiting.connectMs, signal }
    try {
      if (check.expect !== undefined) return await converse(check, check.expect, dialing, patienceMs, waiting)
      const direct = reach.direct(check.port)
      if (direct === undefined) return await staysOpen(dialing)
      await accepts({ ...dialing, address: direct })
      if (address !== direct) await accepts(dialing)
      return ready
    } catch (error) {
      return answerOfError(error, signal)
    }
  }
}

async function accepts(dialing: Dialing): Promise<void> {
  const { socket } = await openConnection(dialing)
  socket.destroy()
}

async function staysOpen(dialing: Dialing): Promise<Answer> {
  const { socket, connectMs } = await openConnection(dialing)
  const recheckMs = (dialing.isRemote ? REMOTE_SETTLE_MS : SETTLE_MS) + 2 * connectMs
  const isClosed = await closesWithin(socket, Math.min(recheckMs, LONGEST_SETTLE_MS))
  socket.destroy()
  dialing.signal.throwIfAborted()
  return isClosed ? unheard('takes the connection and closes it at once') : ready
}

/** Returns whether the connection ends within this time, before any data arrives. */
function closesWithin(socket: Socket, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const stopClock = afterReading(timeoutMs, () => resolve(false))
    const settle = (isClosed: boolean) => () => {
      stopClock()
      resolve(isClosed)
    }
    socket.once('data', settle(false)).once('end', settle(true)).once('close', settle(true))
  })
}

async function converse(
  { send }: TcpCheck,
  expected: string,
  dialing: Dialing,
  patienceMs: number,
  waiting: Waiting,
): Promise<Answer> {
  const { socket } = await openConnection(dialing)
  try {
    if (send !== undefined) socket.write(send, 'latin1')
    return await listenFor(socket, expected, dialing.signal, patienceMs, waiting)
  } finally {
    socket.destroy()
  }
}

function listenFor(
  socket: Socket,
  expected: string,
  signal: AbortSignal,
  patienceMs: number,
  waiting: Waiting,
): Promise<Answer> {
  return new Promise((resolve) => {
    let heard = ''
    let endQuiet = (): void => {}
    const say = (): string => (heard === '' ? 'says nothing' : `says ${quote(heard)}`)
    const endReports = reportWhile(say, waiting)
    const settle = (answer: Answer): void => {
      endPatience()
      endQuiet()
      endReports()
      resolve(answer)
    }
    const giveUp = (): void => settle(heard === '' ? silent(say()) : notYet(say()))
    const endPatience = afterReading(patienceMs, giveUp)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      heard = (heard + text).slice(-MAX_ANSWER_BYTES)
      if (heard.includes(expected)) return settle(ready)
      endQuiet()
      endQuiet = afterReading(Math.min(patienceMs / 10, waiting.connectMs / 10, LONGEST_QUIET_MS), giveUp)
    })
    socket.once('close', () => {
      // A try that is cancelled closes the connection itself.
      if (signal.aborted) giveUp()
      else settle(heard === '' ? unheard('closes the connection') : notYet(`says ${quote(heard)}, and closes`))
    })
  })
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)
}
