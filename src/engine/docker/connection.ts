import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { RemoteEndpoint } from '../../model/engine-endpoint.ts'
import { TestfleetError } from '../../model/failures.ts'
import { type Dialer, openDialer } from '../dial/dial.ts'
import { type Deadline, type Limits, startDeadline } from './deadline.ts'

/** HTTP with one engine, over connections that are kept open. Knows nothing of Docker's API. */
export interface Connection {
  /** Resolves with any status. The request is over once the body was iterated, to its end or not, or dropped. */
  send(request: HttpRequest): Promise<HttpResponse>
  /** Asks for the TCP connection itself. An engine that does not hand it over responds as it would to `send`. */
  upgrade(request: HttpRequest): Promise<HttpResponse | UpgradedConnection>
  close(): void
}

export interface HttpRequest extends Limits {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** Includes the version and the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | Readable | undefined
  /** Whether the deadline covers only the headers, as for a stream, or everything up to the last byte. */
  readonly timeoutCovers: 'headers' | 'body'
  /** Whether the request gets a new connection of its own, which is not kept. */
  readonly usesOwnConnection: boolean
  timeoutFailure(): TestfleetError
  explainBreak(error: NodeJS.ErrnoException): TestfleetError
}

export interface HttpResponse {
  readonly kind: 'response'
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: AsyncGenerator<Buffer, void, void>
  /** Cuts the connection if the body has not ended. */
  drop(): void
}

export interface UpgradedConnection {
  readonly kind: 'upgraded'
  readonly socket: Duplex
  /** The bytes that arrived together with the headers. */
  readonly head: Buffer
}

export function openConnection(endpoint: RemoteEndpoint): Connection {
  let opening: Promise<Dialer> | undefined
  let agent: Agent | undefined
  const dialer = async (): Promise<Dialer> => {
    opening ??= openDialer(endpoint)
    // A failure is not remembered: a missing file may exist at the next request.
    const opened = await opening.catch((error: unknown) => {
      opening = undefined
      throw error
    })
    agent = opened.agent
    return opened
  }
  return {
    send: (request) => exchange(dialer, request, false) as Promise<HttpResponse>,
    upgrade: (request) => exchange(dialer, request, true),
    close: () => agent?.destroy(),
  }
}

async function exchange(
  dialer: () => Promise<Dialer>,
  request: HttpRequest,
  isUpgrade: boolean,
): Promise<HttpResponse | UpgradedConnection> {
  request.signal?.throwIfAborted()
  const opened = await dialer()
  // It may have fired meanwhile.
  request.signal?.throwIfAborted()
  const deadline = startDeadline(request)
  try {
    const sent = startRequest(opened, request, deadline)
    const reply = await replyTo(sent, request, isUpgrade, deadline)
    if (request.timeoutCovers === 'headers' || reply.kind === 'upgraded') deadline.stopClock()
    if (reply.kind === 'upgraded') return guardUpgraded(reply, deadline)
    return responseOf(reply.incoming, sent, request, deadline)
  } catch (error) {
    deadline.release()
    throw deadline.ended === undefined ? explained(error, request) : deadline.ended.reason
  }
}

/** Limit for interim responses (1xx). */
const mostInterim = 20

function startRequest(dialer: Dialer, request: HttpRequest, deadline: Deadline): ClientRequest {
  const agent = request.usesOwnConnection ? false : dialer.agent
  const headers = { ...(dialer.options.headers as Record<string, string> | undefined), ...request.headers }
  if (request.body instanceof Uint8Array) headers['content-length'] = String(request.body.byteLength)
  const { method } = request
  const sent = dialer.request({ ...dialer.options, agent, method, path: dialer.basePath + request.path, headers })
  let interim = 0
  sent.on('information', () => {
    interim += 1
    if (interim > mostInterim) sent.destroy(new Error('too many interim responses'))
  })
  deadline.measureProgress(() => (sent.socket?.bytesRead ?? 0) + (sent.socket?.bytesWritten ?? 0))
  // This error reaches the code that waits for the response.
  deadline.onEnd(() => sent.destroy(new Error('the request was ended')))
  return sent
}

type Reply = UpgradedConnection | { readonly kind: 'response'; readonly incoming: IncomingMessage }

function replyTo(sent: ClientRequest, request: HttpRequest, isUpgrade: boolean, deadline: Deadline): Promise<Reply> {
  return new Promise((resolve, reject) => {
    sent.once('response', (incoming) => resolve({ kind: 'response', incoming }))
    // Not `once`: an error after the response belongs to the body, which reports it itself.
    sent.on('error', reject)
    if (isUpgrade) sent.once('upgrade', (_, socket, head) => resolve({ kind: 'upgraded', socket, head }))
    sendBody(sent, request.body, deadline)
  })
}

function sendBody(sent: ClientRequest, body: HttpRequest['body'], deadline: Deadline): void {
  if (body === undefined || body instanceof Uint8Array) {
    sent.end(body)
    return
  }
  // The caller wants the source's own error, not the broken upload that follows from it.
  body.once('error', (error) => deadline.end(error))
  body.pipe(sent)
}

function responseOf(
  incoming: IncomingMessage,
  sent: ClientRequest,
  request: HttpRequest,
  deadline: Deadline,
): HttpResponse {
  const finish = (): void => {
    deadline.release()
    // An engine may respond before it has read all of the request: then the connection cannot be used again.
    if (!sent.writableEnded) sent.destroy()
  }
  const drop = (): void => {
    if (!incoming.complete) incoming.destroy()
    finish()
  }
  async function* read(): HttpResponse['body'] {
    try {
      for await (const chunk of incoming) yield chunk as Buffer
      if (deadline.ended !== undefined) throw deadline.ended.reason
    } catch (error) {
      throw deadline.ended === undefined ? explained(error, request) : deadline.ended.reason
    } finally {
      finish()
    }
  }
  deadline.onEnd(() => incoming.destroy())
  const { statusCode: status = 0, headers } = incoming
  return { kind: 'response', status, headers, body: read(), drop }
}

/** Keeps the signal in force for a connection that was handed over. */
function guardUpgraded(upgraded: UpgradedConnection, deadline: Deadline): UpgradedConnection {
  deadline.onEnd(() => upgraded.socket.destroy(deadline.ended?.reason as Error))
  upgraded.socket.once('close', deadline.release)
  return upgraded
}

/** Keeps a TypeError, which is a bug of testfleet; every other error is a broken connection. */
function explained(error: unknown, request: HttpRequest): unknown {
  return error instanceof TestfleetError || error instanceof TypeError ? error : request.explainBreak(error as Error)
}

/** Reads a body to its end. Fails with ENGINE_REFUSED, which names `what`, when it has more than `maxBytes`. */
export async function readAll(body: HttpResponse['body'], maxBytes: number, what: string): Promise<Buffer> {
  const bytes = await readBytes(body, maxBytes + 1)
  if (bytes.length > maxBytes) throw new TestfleetError('ENGINE_REFUSED', `${what} has more than ${maxBytes} bytes`)
  return bytes
}

/** Reads the first `maxBytes` of a body, and drops the rest. */
export async function readStart({ body }: HttpResponse, maxBytes: number): Promise<string> {
  return (await readBytes(body, maxBytes)).toString('utf8')
}

async function readBytes(body: HttpResponse['body'], maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}
