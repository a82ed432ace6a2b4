import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { TestfleetError } from '../../model/failures.ts'
import { http } from './http.ts'
import type { DockerLocation, Endpoint } from './location.ts'
import type { Vigil } from './vigil.ts'
import { type Watch, watchCall } from './watch.ts'

/** HTTP with one engine over connections that are kept open. Knows nothing of Docker's API. */
export interface Transport {
  /** Resolves with any status. The call is over when the answer's body was iterated, to its end or not, or dropped. */
  send(call: Call): Promise<Answer>
  /** Asks for the connection itself; an engine that does not give it answers as it would `send`. */
  upgrade(call: Call): Promise<Answer | Upgraded>
  close(): void
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With its version and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | Readable | undefined
  readonly signal: AbortSignal | undefined
  /** Undefined waits for as long as the signal lets it. */
  readonly timeoutMs: number | undefined
  /** Whether the deadline ends with the headers, as for a stream, or with the last byte. */
  readonly timeoutCovers: 'headers' | 'body'
  /** Kept while the deadline does not count; undefined for a call that always has one. */
  readonly vigil: Vigil | undefined
  /** Whether it gets a connection of its own, new and not kept. */
  readonly isApart: boolean
  onTimeout(): TestfleetError
  /** A broken connection in words. */
  explain(error: NodeJS.ErrnoException): TestfleetError
}

export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: AsyncGenerator<Buffer, void, void>
  /** Cuts the connection if the body has not ended. */
  drop(): void
}

export interface Upgraded {
  readonly kind: 'upgraded'
  readonly connection: Duplex
  /** What came with the headers. */
  readonly head: Buffer
}

export function openTransport(location: DockerLocation): Transport {
  let dialling: Promise<Dial> | undefined
  let agent: Agent | undefined
  const dial = async (): Promise<Dial> => {
    dialling ??= prepareDial(location.endpoint)
    // A failure is not kept: the file that was missing may be there at the next call.
    const made = await dialling.catch((error: unknown) => {
      dialling = undefined
      throw error
    })
    agent = made.agent
    return made
  }
  return {
    send: (call) => runCall(dial, call, false) as Promise<Answer>,
    upgrade: (call) => runCall(dial, call, true),
    close: () => agent?.destroy(),
  }
}

interface Dial {
  readonly request: typeof http.request
  readonly agent: Agent
  readonly options: RequestOptions
  readonly basePath: string
}

async function prepareDial(endpoint: Endpoint): Promise<Dial> {
  // The delay is the first probe's: a wait may be silent for long, and what stands between forgets such connections.
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: 30_000, maxFreeSockets: 32, scheduling: 'lifo' } as const
  if (endpoint.kind === 'socket') {
    // The docker command's Host header on a socket; newer engines refuse one that is a path.
    // No server name: Node 24 would work one out with a regular expression whose first use takes longer than the call.
    const options = { socketPath: endpoint.path, servername: '', headers: { host: 'localhost' } }
    return { request: http.request, agent: new http.Agent(keepAlive), options, basePath: '' }
  }
  const { host, port, basePath, tls } = endpoint
  if (tls === undefined)
    return { request: http.request, agent: new http.Agent(keepAlive), options: { host, port }, basePath }
  const { openTls } = await import('./tls.ts')
  const secure = await openTls(tls, keepAlive)
  return { ...secure, options: { host, port, ...secure.options }, basePath }
}

async function runCall(dial: () => Promise<Dial>, call: Call, isUpgrade: boolean): Promise<Answer | Upgraded> {
  call.signal?.throwIfAborted()
  const dialled = await dial()
  const watch = watchCall(call)
  try {
    const request = openRequest(dialled, call, watch)
    const reply = await replyTo(request, call, isUpgrade, watch)
    if (call.timeoutCovers === 'headers' || reply.kind === 'upgraded') watch.stopClock()
    if (reply.kind === 'upgraded') return holdUpgraded(reply, watch)
    return answerOf(reply, call, watch)
  } catch (error) {
    watch.release()
    throw watch.ended === undefined ? explained(error, call) : watch.ended.reason
  }
}

function answerOf({ response, request }: Response, call: Call, watch: Watch): Answer {
  const finish = (): void => {
    watch.release()
    // An engine may answer before it has read all of what it is sent: then the connection is of no further use.
    if (!request.writableEnded) request.destroy()
  }
  const drop = (): void => {
    if (!response.complete) response.destroy()
    finish()
  }
  watch.whenEnded(() => response.destroy())
  const { statusCode: status = 0, headers } = response
  return { kind: 'answer', status, headers, body: readBody(response, call, watch, finish), drop }
}

/** The signal goes on holding for a connection that was handed over. */
function holdUpgraded(upgraded: Upgraded, watch: Watch): Upgraded {
  watch.whenEnded(() => upgraded.connection.destroy(watch.ended?.reason as Error))
  upgraded.connection.once('close', watch.release)
  return upgraded
}

type Reply = Upgraded | Response

interface Response {
  readonly kind: 'answer'
  readonly response: IncomingMessage
  readonly request: ClientRequest
}

function openRequest(dial: Dial, call: Call, watch: Watch): ClientRequest {
  const agent = call.isApart ? false : dial.agent
  const headers = { ...(dial.options.headers as Record<string, string> | undefined), ...call.headers }
  if (call.body instanceof Uint8Array) headers['content-length'] = String(call.body.byteLength)
  const { method } = call
  const request = dial.request({ ...dial.options, agent, method, path: dial.basePath + call.path, headers })
  watch.measure(() => (request.socket?.bytesRead ?? 0) + (request.socket?.bytesWritten ?? 0))
  // What waits for it hears of the call's end through its error.
  watch.whenEnded(() => request.destroy(new Error('the call was ended')))
  return request
}

function replyTo(request: ClientRequest, call: Call, isUpgrade: boolean, watch: Watch): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request.once('response', (response) => resolve({ kind: 'answer', response, request }))
    // Stays: an error after the answer has come belongs to the body, which tells of it itself.
    request.on('error', reject)
    if (isUpgrade) {
      request.once('upgrade', (_, connection, head) => resolve({ kind: 'upgraded', connection, head }))
    }
    sendBody(request, call.body, watch)
  })
}

function sendBody(request: ClientRequest, body: Call['body'], watch: Watch): void {
  if (body === undefined || body instanceof Uint8Array) {
    request.end(body)
    return
  }
  // The source's own error is what the caller wants to hear of, not the broken upload that follows from it.
  body.once('error', (error) => watch.end(error))
  body.pipe(request)
}

async function* readBody(
  response: IncomingMessage,
  call: Call,
  watch: Watch,
  finish: () => void,
): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of response) yield chunk as Buffer
    if (watch.ended !== undefined) throw watch.ended.reason
  } catch (error) {
    throw watch.ended === undefined ? explained(error, call) : watch.ended.reason
  } finally {
    finish()
  }
}

/** A TypeError is a bug of ours and stays one; everything else that is thrown here is a connection's end. */
function explained(error: unknown, call: Call): unknown {
  return error instanceof TestfleetError || error instanceof TypeError ? error : call.explain(error as Error)
}
