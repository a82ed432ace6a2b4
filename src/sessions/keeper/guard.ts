import type { Server } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { type Holds, openHolds } from './holds.ts'
import { listen } from './listen.ts'
import { type KeeperAnswer, type Order, type Request, readLines } from './protocol.ts'

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
