import { connect, type Socket } from 'node:net'
import type { Host } from '../model/host.ts'
import { onAbort } from '../model/on-abort.ts'
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

/** Socket at which the holder of a session is asked to end it. Those who ask wait until `onEnd` is done. */
export async function listenForEnd(
  host: Host,
  onEnd: () => Promise<void>,
): Promise<Pick<TakedownListener, 'socket' | 'close'>> {
  const socket = keeperSocket(makeId(), host)
  const onConnection = (connection: Socket): void => {
    connection.on('error', () => {}).resume()
    void onEnd().finally(() => connection.end())
  }
  // Else the connection ends as soon as the news is read.
  const server = await listen(socket, onConnection, { allowHalfOpen: true })
  return { socket: server && socket, close: () => void server?.close() }
}

function parse(line: string): TakenDown | undefined {
  try {
    const { atMs, pid } = JSON.parse(line)
    return Number.isFinite(atMs) && Number.isInteger(pid) ? { atMs, pid } : undefined
  } catch {
    return undefined
  }
}

/** How long a holder may take to read the news, or to end its session. It takes less, unless it hangs. */
const PATIENCE_MS = { read: 1000, end: 20_000 } as const

/**
 * Notifies all holders of a session that it is being taken down, by the process `pid` if that is known. Waits until each that
 * listens has read it.
 */
export async function notifyHolders({ holders = [] }: Lifetime, pid: number | undefined): Promise<void> {
  await notifyAll(holders, pid, PATIENCE_MS.read)
}

/** Asks the holders of a session to end it, and waits until each that listens has. Rejects with the reason of the signal. */
export async function askToEnd({ holders = [] }: Lifetime, signal: AbortSignal): Promise<void> {
  await notifyAll(holders, undefined, PATIENCE_MS.end, signal)
  signal.throwIfAborted()
}

async function notifyAll(
  holders: readonly Holder[],
  pid: number | undefined,
  patienceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const news: TakenDown = { atMs: Date.now(), pid: pid ?? 0 }
  await Promise.all(holders.map((holder) => notify(holder, news, patienceMs, signal)))
}

async function notify({ socket }: Holder, news: TakenDown, patienceMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true || socket === undefined || !isKeeperSocket(socket)) return
  const connection = connect(socket)
  const giveUp = (): void => void connection.destroy()
  const clock = setTimeout(giveUp, patienceMs)
  const stopListening = onAbort(signal, giveUp)
  connection.on('error', () => {})
  connection.resume().end(`${JSON.stringify(news)}\n`)
  await new Promise((resolve) => void connection.once('close', resolve))
  clearTimeout(clock)
  stopListening()
}

/** Formats the news as one line. */
export function describeTakenDown(session: string, news: TakenDown | undefined): string {
  const when = news === undefined ? '' : ` at ${new Date(news.atMs).toTimeString().slice(0, 8)} by process ${news.pid}`
  return `session ${session} was taken down${when}`
}
