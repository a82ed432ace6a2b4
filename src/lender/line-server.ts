import type { Socket } from 'node:net'
import { wordError } from '../formats/word-error.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { type AnsweredError, MAX_LINE_LENGTH } from './protocol.ts'

export interface LineServerLimits {
  /** Most clients at a time. */
  readonly clients: number
  /** Most requests of one client that are not answered yet. */
  readonly requests: number
}

const defaultLimits: LineServerLimits = { clients: 512, requests: 256 }
const LONGEST_OUTPUT_LINE = 2000
/** A client that does not close its side by then keeps nothing open. */
const CLOSE_MS = 1000
/** Limit for answers that a client has not read. */
const MAX_UNREAD_BYTES = 1024 * 1024

/** What the sender of a request has to say about it later. */
export interface RequestContext {
  /** Fires when the client takes the request back, or its connection has ended. */
  readonly signal: AbortSignal
}

/** A program that is connected. */
export interface LineClient {
  /**
   * Handles each request. Its result is the answer; an error becomes an answer with `error`. Several requests of one
   * client are handled at the same time.
   */
  onRequest(handler: (request: Readonly<Record<string, unknown>>, context: RequestContext) => Promise<object>): void
  /** Called once when the connection has ended, however it ended. */
  onEnd(handler: () => void): void
  /** Sends a line that answers no request. */
  send(message: object): void
  /** Keeps the connection while the server closes: it ends with the process. */
  stay(): void
  close(): void
}

/** Serves JSON lines: `{"id": 1, ...}` is answered by `{"id": 1, ...}`. `{"cancel": 1}` takes request 1 back. */
export interface LineServer {
  onClient(handler: (client: LineClient) => void): void
  /** Number of connected clients. */
  readonly clients: number
  /** Called whenever the number of clients has changed. */
  onChange(handler: () => void): void
  /** Disconnects all clients, except those that stay. */
  close(): void
}

/** Returns a server and the function that takes its connections. */
export function openLineServer(limits: LineServerLimits = defaultLimits): {
  readonly lines: LineServer
  readonly accept: (socket: Socket) => void
} {
  const connected = new Set<Connection>()
  /** Clients that came before the service was ready. */
  let waiting: LineClient[] = []
  let onClient: ((client: LineClient) => void) | undefined
  let onChange = (): void => {}
  const accept = (socket: Socket): void => {
    if (connected.size >= limits.clients) {
      socket.on('error', () => {})
      const message = `the lender already has ${limits.clients} clients`
      const hint = 'Use one connection for several leases, or close connections that are not needed.'
      socket.end(`${JSON.stringify({ error: { code: 'SESSION_BUSY', message, hint } })}\n`)
      setTimeout(() => socket.destroy(), CLOSE_MS).unref()
      return
    }
    const connection = new Connection(socket, limits.requests)
    connected.add(connection)
    onChange()
    connection.whenOver(() => {
      connected.delete(connection)
      onChange()
    })
    if (onClient === undefined) waiting.push(connection)
    else onClient(connection)
  }
  const lines: LineServer = {
    onClient(handler) {
      onClient = handler
      for (const client of waiting) handler(client)
      waiting = []
    },
    get clients() {
      return connected.size
    },
    onChange(handler) {
      onChange = handler
    },
    close() {
      for (const connection of connected) if (!connection.isStaying) connection.close()
    },
  }
  return { lines, accept }
}

type Handler = Parameters<LineClient['onRequest']>[0]

class Connection implements LineClient {
  readonly #socket: Socket
  readonly #mostRequests: number
  readonly #pending = new Map<unknown, AbortController>()
  readonly #early: Readonly<Record<string, unknown>>[] = []
  readonly #ends: (() => void)[] = []
  #handler: Handler | undefined
  #text = ''
  #isClosing = false
  #isStaying = false
  #isOver = false

  constructor(socket: Socket, mostRequests: number) {
    this.#socket = socket
    this.#mostRequests = mostRequests
    const end = (): void => this.#finish()
    socket.setEncoding('utf8')
    socket.on('error', end).on('end', end).on('close', end)
    socket.on('data', (chunk) => this.#read(chunk as unknown as string))
  }

  onRequest(handler: Handler): void {
    this.#handler = handler
    for (const request of this.#early.splice(0)) this.#take(request)
  }

  onEnd(handler: () => void): void {
    if (this.#isOver) handler()
    else this.#ends.push(handler)
  }

  /** As `onEnd`; called after the handlers of the service. */
  whenOver(handler: () => void): void {
    this.#socket.once('close', handler)
  }

  send(message: object): void {
    if (this.#isOver) return
    this.#socket.write(`${JSON.stringify(message)}\n`)
    // A client that sends requests and never reads must not fill the memory.
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.#socket.destroy()
  }

  get isStaying(): boolean {
    return this.#isStaying
  }

  stay(): void {
    this.#isStaying = true
  }

  close(): void {
    this.#isClosing = true
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), CLOSE_MS).unref()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#isClosing = true
    this.#socket.destroy()
    for (const pending of this.#pending.values()) pending.abort()
    for (const handler of this.#ends.splice(0)) handler()
  }

  #read(chunk: string): void {
    if (this.#isClosing) return
    const lines = (this.#text + chunk).split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines) if (!this.#isClosing && line.trim() !== '') this.#readLine(line)
    if (this.#text.length > MAX_LINE_LENGTH) this.#refuseLongLine()
  }

  #readLine(line: string): void {
    const request = parseObject(line)
    if (line.length > MAX_LINE_LENGTH) {
      this.#refuseLongLine()
    } else if (request === undefined) {
      this.send({ error: usage('a request is a JSON object on one line') })
    } else if (request.hello !== undefined) {
      this.send({ id: request.id })
    } else if (request.cancel !== undefined) {
      this.#pending.get(request.cancel)?.abort(new TestfleetError('CANCELLED', 'the request was taken back'))
    } else if (this.#handler !== undefined) {
      this.#take(request)
    } else if (this.#early.length < this.#mostRequests) {
      this.#early.push(request)
    } else this.#socket.destroy()
  }

  #refuseLongLine(): void {
    this.#text = ''
    this.send({ error: usage(`a request is longer than ${MAX_LINE_LENGTH} characters`) })
    this.close()
  }

  #take(request: Readonly<Record<string, unknown>>): void {
    const { id } = request
    const refusal = this.#refusalOf(id)
    if (refusal !== undefined) {
      this.send({ ...(id !== undefined && { id }), error: usage(refusal) })
      return
    }
    const controller = new AbortController()
    this.#pending.set(id, controller)
    const answer = (content: object): void => {
      this.#pending.delete(id)
      this.send({ id, ...content })
    }
    this.#handler?.(request, { signal: controller.signal }).then(answer, (error) => answer({ error: toError(error) }))
  }

  #refusalOf(id: unknown): string | undefined {
    const isId = typeof id === 'number' || (typeof id === 'string' && id.length <= 100)
    if (!isId) return 'a request needs an `id`: a number, or a text of at most 100 characters'
    if (this.#pending.has(id)) return `the request ${id} is not answered yet; give each request its own \`id\``
    if (this.#pending.size >= this.#mostRequests) return `more than ${this.#mostRequests} requests are not answered yet`
    return undefined
  }
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Not JSON.
  }
  return undefined
}

function usage(message: string): AnsweredError {
  return { code: 'USAGE', message }
}

/** A failure with its code; any other error is a bug. Its message is sent, too, because a lender has no log. */
function toError(error: unknown): AnsweredError {
  if (!isFailure(error)) return { code: 'LENDER_LOST', message: `the lender failed: ${wordError(error)}` }
  const { code, message, hint, server, output } = error
  const lines = output.length > 0 ? { output: output.map((line) => line.slice(0, LONGEST_OUTPUT_LINE)) } : {}
  return { code, message, ...(hint !== undefined && { hint }), ...(server !== undefined && { server }), ...lines }
}
