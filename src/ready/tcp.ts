import type { Socket } from 'node:net'
import type { ReadyCheck } from '../model/fleet.ts'
import { type Address, type Answer, addressOf, notYet, type Probe, type Reach, ready, silent } from './check.ts'
import { openConnection, wordError } from './connect.ts'

type TcpCheck = Extract<ReadyCheck, { kind: 'tcp' }>

/**
 * The engine's userland proxy takes every connection to a published port, and closes it when nothing listens behind
 * (seen with 20.10 to 28: within a millisecond). A connection that stays open for this long is the server's own.
 */
const SETTLE_MS = 50
const MAX_ANSWER_BYTES = 64 * 1024
/** A server that has said something else, such as that it still loads, and then is quiet, is asked again. */
const LONGEST_QUIET_MS = 500

/** The server takes the connection and keeps it; with `expect`, it says so. */
export function probeTcp(check: TcpCheck, reach: Reach): Probe {
  return async (signal, patienceMs) => {
    const address = addressOf(reach, check.port)
    if (check.expect !== undefined) return converse(check, address, check.expect, signal, patienceMs)
    const direct = reach.direct(check.port)
    if (direct === undefined) return staysOpen(address, signal)
    const answer = await accepts(direct, signal)
    return answer.isReady && address !== direct ? accepts(address, signal) : answer
  }
}

async function accepts(address: Address, signal: AbortSignal): Promise<Answer> {
  try {
    const socket = await openConnection(address, signal)
    socket.destroy()
    return ready
  } catch (error) {
    return notYet(wordError(error))
  }
}

async function staysOpen(address: Address, signal: AbortSignal): Promise<Answer> {
  try {
    const socket = await openConnection(address, signal)
    const end = await firstOf(socket, SETTLE_MS)
    socket.destroy()
    return end === 'closed' ? notYet('takes the connection and closes it at once') : ready
  } catch (error) {
    return notYet(wordError(error))
  }
}

function firstOf(socket: Socket, timeoutMs: number): Promise<'data' | 'closed' | 'silence'> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, 'silence')
    const settle = (end: 'data' | 'closed') => () => {
      clearTimeout(timer)
      resolve(end)
    }
    socket.once('data', settle('data')).once('end', settle('closed')).once('close', settle('closed'))
  })
}

async function converse(
  check: TcpCheck,
  address: Address,
  expected: string,
  signal: AbortSignal,
  patienceMs: number,
): Promise<Answer> {
  try {
    const socket = await openConnection(address, signal)
    try {
      if (check.send !== undefined) socket.write(check.send, 'latin1')
      return await listenFor(socket, expected, patienceMs)
    } finally {
      socket.destroy()
    }
  } catch (error) {
    return notYet(wordError(error))
  }
}

function listenFor(socket: Socket, expected: string, patienceMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    let heard = ''
    let quiet: NodeJS.Timeout | undefined
    const settle = (answer: Answer): void => {
      clearTimeout(patience)
      clearTimeout(quiet)
      resolve(answer)
    }
    const giveUp = (): void => settle(silent(heard === '' ? 'says nothing' : `says ${quote(heard)}`))
    const patience = setTimeout(giveUp, patienceMs)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      heard = (heard + text).slice(-MAX_ANSWER_BYTES)
      if (heard.includes(expected)) return settle(ready)
      clearTimeout(quiet)
      quiet = setTimeout(giveUp, Math.min(patienceMs / 10, LONGEST_QUIET_MS))
    })
    socket.once('close', () =>
      settle(notYet(heard === '' ? 'closes the connection' : `says ${quote(heard)}, and closes`)),
    )
  })
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)
}
