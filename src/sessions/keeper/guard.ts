import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerOpts, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { ProcessIdentity } from '../../model/session.ts'
import { identifyProcess, isAlive } from '../processes.ts'
import { isInOwnFolder, type KeeperAnswer, type KeeperOrder, type KeeperRequest, readLines } from './protocol.ts'

/** Limit for answers that a client has not read. */
const MAX_UNREAD_BYTES = 1024 * 1024

/**
 * Guards a session while anyone is connected, then cleans up. Prints nothing, and no request makes it fail. Calls
 * `cleanUp` and `onOver` once each.
 */
export class Guard {
  readonly #holds: Holds
  readonly #connected = new Set<Writable>()
  readonly #order: KeeperOrder
  readonly #cleanUp: () => Promise<void>
  readonly #onOver: () => void
  #server: Server | undefined
  #timer: NodeJS.Timeout | undefined
  /** Whether nobody can join any more. */
  #isClosed = false
  #isFinishing = false

  constructor(order: KeeperOrder, cleanUp: () => Promise<void>, onOver: () => void) {
    this.#order = order
    this.#cleanUp = cleanUp
    this.#onOver = onOver
    this.#holds = openHolds(() => {
      if (this.#timer === undefined) this.finish()
    })
  }

  /** Resolves with the path of the socket at which others join; empty when they cannot. */
  async open(): Promise<string> {
    this.#server = await listen(this.#order.socket, (connection) => {
      if (this.#isClosed) connection.destroy()
      else this.connect(connection, connection)
    })
    return this.#server === undefined ? '' : this.#order.socket
  }

  /** Serves a client, who holds the session until the end of its input. */
  connect(input: Readable, output: Writable): void {
    const leave = (): void => {
      if (!this.#connected.delete(output)) return
      output.destroy()
      this.#holds.leave(output)
    }
    this.#connected.add(output)
    this.#holds.enter(output)
    // A client that is gone does not read its answers.
    output.on('error', leave)
    input.on('error', leave).on('end', leave).on('close', leave)
    let isLeaving = false
    const onLine = (line: string): void => {
      const request = parse(line)
      const answer = (): void => this.#answer(output, this.#carryOut(request, output))
      // Clients that ended before this one left may only be noticed in the next round of the event loop.
      isLeaving ||= request.do === 'leave'
      if (isLeaving) setImmediate(() => setImmediate(answer))
      else answer()
    }
    input.on('data', readLines(onLine)).resume()
    this.#answer(output, {})
  }

  /** Cleans up once the last client is gone. */
  finish(): void {
    if (this.#isFinishing) return
    this.#isFinishing = true
    this.#close()
    // Errors have no reader: the next call of testfleet finds what is left.
    void this.#cleanUp()
      .catch(() => {})
      .finally(this.#onOver)
  }

  #close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#server?.close()
  }

  #answer(output: Writable, more: Pick<KeeperAnswer, 'error'>): void {
    const answer: KeeperAnswer = { session: this.#order.session, held: this.#holds.countBesides(output), ...more }
    output.write(`${JSON.stringify(answer)}\n`)
    // A client that sends requests and never reads must not fill the memory.
    if (output.writableLength > MAX_UNREAD_BYTES) output.destroy()
  }

  #carryOut(request: KeeperRequest, client: Writable): Pick<KeeperAnswer, 'error'> {
    switch (request.do) {
      case 'leave':
        if (this.#holds.countBesides(client) === 0) this.#close()
        return {}
      case 'hold':
        return this.#holds.addProcess(request) ? {} : { error: `there is no process ${request.pid}` }
      case 'drop':
        this.#holds.dropProcess(request.pid)
        return {}
      case 'until':
        clearTimeout(this.#timer)
        this.#timer = setTimeout(() => this.finish(), Math.max(request.untilMs - Date.now(), 0))
        return {}
      case 'end':
        this.#close()
        this.#onOver()
        return {}
      default:
        return { error: 'unknown request' }
    }
  }
}

function parse(line: string): KeeperRequest {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as KeeperRequest
  } catch {
    // Not JSON: answered as an unknown request.
  }
  return {} as KeeperRequest
}

/** Holders of a session: connections, and processes registered by others. */
export interface Holds {
  enter(connection: object): void
  leave(connection: object): void
  /** Registers a process. False when there is no such process. */
  addProcess(wanted: { readonly pid: number; readonly startedAt?: string | undefined }): boolean
  dropProcess(pid: number): void
  /** Returns the number of holders, without the given connection. */
  countBesides(connection?: object): number
}

/** Interval at which registered processes are checked. */
const LOOK_MS = 500

function openHolds(onEmpty: () => void): Holds {
  const connections = new Set<object>()
  const processes = new Map<number, ProcessIdentity>()
  let clock: NodeJS.Timeout | undefined
  const check = (): void => {
    if (connections.size + processes.size === 0) onEmpty()
  }
  const forgetEnded = (): void => {
    for (const process of processes.values()) if (!isAlive(process)) processes.delete(process.pid)
  }
  const look = (): void => {
    forgetEnded()
    if (processes.size === 0) {
      clearInterval(clock)
      clock = undefined
    }
    check()
  }
  return {
    enter: (connection) => void connections.add(connection),
    leave(connection) {
      if (connections.delete(connection)) check()
    },
    addProcess({ pid, startedAt }) {
      const found = identifyProcess(pid)
      if (found === undefined || (startedAt !== undefined && startedAt !== found.startedAt)) return false
      processes.set(pid, found)
      clock ??= setInterval(look, LOOK_MS)
      return true
    },
    dropProcess(pid) {
      if (processes.delete(pid)) look()
    },
    countBesides(connection) {
      forgetEnded()
      return connections.size + processes.size - (connection !== undefined && connections.has(connection) ? 1 : 0)
    },
  }
}

/**
 * Listens on a socket that only this user can open. Undefined when it cannot: the keeper then works without joining.
 */
export async function listen(
  path: string,
  onConnection: (socket: Socket) => void,
  options: ServerOpts = {},
): Promise<Server | undefined> {
  const isPipe = path.startsWith('\\\\.\\pipe\\')
  try {
    if (!isPipe) makeFolder(dirname(path))
    // The temporary folder is shared: the user who created this subfolder could replace a socket in it.
    if (!isInOwnFolder(path)) return undefined
    if (!isPipe) rmSync(path, { force: true })
    const server = createServer(options, onConnection)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    if (!isPipe) chmodSync(path, 0o600)
    server.on('error', () => {})
    return server
  } catch {
    return undefined
  }
}

/** Creates only the last folder of the path: a missing temporary folder is not created. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
