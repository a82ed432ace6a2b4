import type { Server } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { cleanUp } from './clean-up.ts'
import { openEngineCalls } from './engine-calls.ts'
import { type Holds, openHolds } from './holds.ts'
import { listen } from './listen.ts'
import { type Answer, type Order, type Request, readLines } from './protocol.ts'

/**
 * Holds a session for as long as anyone is connected, then cleans up. `onOver` is called when nothing is left to do.
 * Nothing here prints, and nothing here fails for what is said to it.
 */
export class Keeping {
  readonly #holds: Holds
  readonly #talks = new Set<Writable>()
  readonly #onOver: () => void
  #order: Order
  #server: Server | undefined
  #timer: NodeJS.Timeout | undefined
  #isKept = false
  /** Nobody can join any more. */
  #isClosed = false
  #isFinishing = false

  constructor(order: Order, onOver: () => void) {
    this.#order = order
    this.#onOver = onOver
    this.#holds = openHolds(() => {
      if (this.#timer === undefined) this.finish()
    })
  }

  /** Resolves with where others can join; with nothing when they cannot. */
  async open(): Promise<string> {
    this.#server = await listen(this.#order.socket, (connection) => {
      if (this.#isClosed) connection.destroy()
      else this.talk(connection, connection)
    })
    return this.#server === undefined ? '' : this.#order.socket
  }

  /** Talks with someone, who holds the session until the end of what is said. */
  talk(input: Readable, output: Writable): void {
    const leave = (): void => {
      if (!this.#talks.delete(output)) return
      output.destroy()
      this.#holds.leave(output)
    }
    this.#talks.add(output)
    this.#holds.enter(output)
    // Whoever has gone does not read what it is told.
    output.on('error', leave)
    input.on('error', leave).on('end', leave).on('close', leave)
    const onLine = (line: string): void => this.#say(output, this.#do(parse(line), output))
    input.on('data', readLines(onLine)).resume()
    this.#say(output, {})
  }

  /** As when everybody has left. */
  finish(): void {
    if (this.#isFinishing) return
    this.#isFinishing = true
    this.#close()
    void this.#cleanUp().finally(this.#onOver)
  }

  async #cleanUp(): Promise<void> {
    const { session, lease, kind, endpoint } = this.#order
    try {
      await cleanUp({ session, lease, kind, isKept: this.#isKept }, await openEngineCalls(endpoint))
    } catch {
      // There is nobody to tell; the next call of testfleet finds what is left.
    }
  }

  #close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#server?.close()
  }

  #say(output: Writable, more: Pick<Answer, 'error'>): void {
    const answer: Answer = { session: this.#order.session, held: this.#holds.countBesides(output), ...more }
    output.write(`${JSON.stringify(answer)}\n`)
  }

  #do(request: Request, talker: Writable): Pick<Answer, 'error'> {
    switch (request.do) {
      case 'leave':
        if (this.#holds.countBesides(talker) === 0) this.#close()
        return {}
      case 'hold':
        return this.#holds.addProcess(request) ? {} : { error: `there is no process ${request.pid}` }
      case 'drop':
        this.#holds.dropProcess(request.pid)
        return {}
      case 'keep':
        this.#isKept = true
        return {}
      case 'until':
        this.#order = { ...this.#order, kind: 'time', lease: request.lease }
        this.#isKept = false
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
    // It is no request, and is answered as one.
  }
  return {} as Request
}
