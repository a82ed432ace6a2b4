import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { ProcessIdentity } from '../../model/session.ts'
import { identifyProcess, isAlive } from '../processes.ts'
import { isInOwnFolder, type KeeperAnswer, type Order, type Request, readLines } from './protocol.ts'

/** Answers that a client has not read. */
const MAX_UNREAD_BYTES = 1024 * 1024

/**
 * Waits for as long as anyone is connected, then cleans up. Nothing here prints, and no request makes it fail.
 * `cleanUp` and `onOver` are called once.
 */
export class Guard {
  readonly #holds: Holds
  readonly #connected = new Set<Writable>()
  readonly #order: Order
  readonly #cleanUp: () => Promise<void>
  readonly #onOver: () => void
  #server: Server | undefined
  #timer: NodeJS.Timeout | undefined
  /** Nobody can join any more. */
  #isClosed = false
  #isFinishing = false

  constructor(order: Order, cleanUp: () => Promise<void>, onOver: () => void) {
    this.#order = order
    this.#cleanUp = cleanUp
    this.#onOver = onOver
    this.#holds = openHolds(() => {
      if (this.#timer === undefined) this.finish()
    })
  }

  /** Resolves with where others can join; with an empty text when they cannot. */
  async open(): Promise<string> {
    this.#server = await listen(this.#order.socket, (connection) => {
      if (this.#isClosed) connection.destroy()
      else this.connect(connection, connection)
    })
    return this.#server === undefined ? '' : this.#order.socket
  }

  /** Answers a client, who holds the session until the end of its input. */
  connect(input: Readable, output: Writable): void {
    const leave = (): void => {
      if (!this.#connected.delete(output)) return
      output.destroy()
      this.#holds.leave(output)
    }
    this.#connected.add(output)
    this.#holds.enter(output)
    // A client that has gone does not read its answers.
    output.on('error', leave)
    input.on('error', leave).on('end', leave).on('close', leave)
    const onLine = (line: string): void => this.#answer(output, this.#carryOut(parse(line), output))
    input.on('data', readLines(onLine)).resume()
    this.#answer(output, {})
  }

  /** Does what is due when the last client has gone. */
  finish(): void {
    if (this.#isFinishing) return
    this.#isFinishing = true
    this.#close()
    // There is nobody to tell of a failure: the next call of testfleet finds what is left.
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
    // A client that asks and never reads must not fill the memory.
    if (output.writableLength > MAX_UNREAD_BYTES) output.destroy()
  }

  #carryOut(request: Request, client: Writable): Pick<KeeperAnswer, 'error'> {
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
        return { error: 'that is no request' }
    }
  }
}

function parse(line: string): Request {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Request
  } catch {
    // It is answered as what it is: no request.
  }
  return {} as Request
}

/** Who holds a session: connections, and processes that somebody named. */
export interface Holds {
  enter(connection: object): void
  leave(connection: object): void
  /** Whether there was such a process. */
  addProcess(wanted: { readonly pid: number; readonly startedAt?: string | undefined }): boolean
  dropProcess(pid: number): void
  /** How many there are, but for this one. */
  countBesides(connection?: object): number
}

/** How often it is looked whether named processes are alive. */
const LOOK_MS = 500

function openHolds(onEmpty: () => void): Holds {
  const connections = new Set<object>()
  const processes = new Map<number, ProcessIdentity>()
  let clock: NodeJS.Timeout | undefined
  const check = (): void => {
    if (connections.size + processes.size === 0) onEmpty()
  }
  const look = (): void => {
    for (const process of processes.values()) if (!isAlive(process)) processes.delete(process.pid)
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
    countBesides: (connection) =>
      connections.size + processes.size - (connection !== undefined && connections.has(connection) ? 1 : 0),
  }
}

/** Only its user may speak to it. Undefined when it cannot be: a keeper keeps all the same, only nobody can join. */
export async function listen(path: string, onConnection: (socket: Socket) => void): Promise<Server | undefined> {
  const isPipe = path.startsWith('\\\\.\\pipe\\')
  try {
    if (!isPipe) makeFolder(dirname(path))
    // The temporary folder is everybody's: whoever made this one first could take the place of a socket in it.
    if (!isInOwnFolder(path)) return undefined
    if (!isPipe) rmSync(path, { force: true })
    const server = createServer(onConnection)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    if (!isPipe) chmodSync(path, 0o600)
    server.on('error', () => {})
    return server
  } catch {
    return undefined
  }
}

/** Only the last part of it: a folder for temporary files that is not there is not ours to make. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
