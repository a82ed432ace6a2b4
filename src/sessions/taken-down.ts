import { connect } from 'node:net'
import type { Host } from '../model/host.ts'
import type { Holder, Lifetime } from '../model/session.ts'
import { isKeeperSocket } from './keeper/client.ts'
import { listen } from './keeper/guard.ts'
import { keeperSocket, readLines } from './keeper/protocol.ts'
import { makeId } from './make-id.ts'

/** Process that took a session down, and the time. */
export interface TakenDown {
  readonly atMs: number
  readonly pid: number
}

/** Socket at which a holder learns that its session was taken down, and by which call. The record is gone by then. */
export interface TakedownListener {
  /** Path of the socket; undefined when it cannot listen: the holder then only notices that the session is gone. */
  readonly socket: string | undefined
  readonly takenDown: () => TakenDown | undefined
  close(): void
}

export async function listenForTakedown(host: Host): Promise<TakedownListener> {
  const socket = keeperSocket(makeId(), host)
  let takenDown: TakenDown | undefined
  const server = await listen(socket, (connection) => {
    connection.on('error', () => {})
    connection.on(
      'data',
      readLines((line) => {
        takenDown ??= parse(line)
      }),
    )
    connection.on('end', () => connection.end())
  })
  server?.unref()
  return { socket: server && socket, takenDown: () => takenDown, close: () => void server?.close() }
}

function parse(line: string): TakenDown | undefined {
  try {
    const { atMs, pid } = JSON.parse(line)
    return Number.isFinite(atMs) && Number.isInteger(pid) ? { atMs, pid } : undefined
  } catch {
    return undefined
  }
}

const PATIENCE_MS = 1000

/**
 * Notifies all holders of a session that it is being taken down, by the process `pid` if that is known. Waits a moment for
 * each that listens.
 */
export async function notifyHolders({ holders = [] }: Lifetime, pid: number | undefined): Promise<void> {
  const news: TakenDown = { atMs: Date.now(), pid: pid ?? 0 }
  await Promise.all(holders.map((holder) => notify(holder, news)))
}

async function notify({ socket }: Holder, news: TakenDown): Promise<void> {
  if (socket === undefined || !isKeeperSocket(socket)) return
  const connection = connect(socket)
  const clock = setTimeout(() => connection.destroy(), PATIENCE_MS)
  connection.on('error', () => {})
  connection.resume().end(`${JSON.stringify(news)}\n`)
  await new Promise((resolve) => void connection.once('close', resolve))
  clearTimeout(clock)
}

/** Formats the news as one line. */
export function describeTakenDown(session: string, news: TakenDown | undefined): string {
  const when = news === undefined ? '' : ` at ${new Date(news.atMs).toTimeString().slice(0, 8)} by process ${news.pid}`
  return `session ${session} was taken down${when}`
}
