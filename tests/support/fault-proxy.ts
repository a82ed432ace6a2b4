import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { withEngine } from './command.ts'
import { kindOf } from './kind-of-call.ts'

/**
 * `after` is when the engine has done what it was asked, and only its answer is lost. Half a JSON is a whole HTTP answer
 * with half of its body.
 */
export const misbehaviours = ['error500', 'error500 after', 'slow', 'cut', 'cut after', 'halfJson', 'hang'] as const

export type Misbehaviour = (typeof misbehaviours)[number]

export interface Fault {
  readonly kind: string
  readonly misbehaviour: Misbehaviour
  /** Which call of that kind, counted from 1; or each. */
  readonly occurrence: number | 'every'
}

/** A proxy between testfleet and the real engine that misbehaves on request. */
export interface FaultProxy extends AsyncDisposable {
  /** As DOCKER_HOST takes it. */
  readonly url: string
  /** The kinds of call that came so far, each with how often. */
  readonly kinds: ReadonlyMap<string, number>
  /** How often it has misbehaved. */
  readonly hits: number
  /** Misbehaves from now on, with a new count; undefined for an engine that behaves. */
  misbehave(fault: Fault | undefined): void
}

const SLOW_MS = 500

export interface FaultProxySettings {
  /** Of an engine whose builder is the classic one. */
  readonly isClassic?: boolean
}

export async function openFaultProxy({ isClassic = false }: FaultProxySettings = {}): Promise<FaultProxy> {
  const enginePath = await withEngine(async ({ location }) => new URL(location.url).pathname)
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-proxy-'))
  const path = join(folder, 'engine.sock')
  const sockets = new Set<Socket>()
  const kinds = new Map<string, number>()
  let fault: Fault | undefined
  let count = 0
  let hits = 0
  const judge = (incoming: IncomingMessage): Misbehaviour | undefined => {
    const kind = kindOf(incoming)
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (fault?.kind !== kind) return undefined
    count++
    if (fault.occurrence !== 'every' && fault.occurrence !== count) return undefined
    hits++
    return fault.misbehaviour
  }
  const server = createServer((incoming, response) => {
    void answer(enginePath, judge(incoming), incoming, response, isClassic ? { 'builder-version': '1' } : {})
  })
  server.on('upgrade', (incoming, socket, head) => void handOver(enginePath, judge(incoming), incoming, socket, head))
  server.on('connection', (socket) => {
    sockets.add(socket)
    // Either side may go away in the middle: that is what is tested.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  // Nothing but a fault ends a call.
  Object.assign(server, { requestTimeout: 0, headersTimeout: 0, timeout: 0, keepAliveTimeout: 0 })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    url: `unix://${path}`,
    kinds,
    get hits() {
      return hits
    },
    misbehave(next) {
      fault = next
      count = 0
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true })
    },
  }
}

async function answer(
  enginePath: string,
  misbehaviour: Misbehaviour | undefined,
  incoming: IncomingMessage,
  response: ServerResponse,
  said: Readonly<Record<string, string>>,
): Promise<void> {
  if (misbehaviour === 'hang') return void incoming.resume()
  if (misbehaviour === 'cut') return void incoming.socket.destroy()
  if (misbehaviour === 'error500') return void incoming.resume().on('end', () => fail(response))
  if (misbehaviour === 'slow') await sleep(SLOW_MS)
  const { method, url, headers } = incoming
  const outgoing = request({ socketPath: enginePath, method, path: url, headers, agent: false })
  response.on('close', () => outgoing.destroy())
  outgoing.on('error', () => incoming.socket.destroy())
  outgoing.on('response', (answered) => {
    answered.on('error', () => incoming.socket.destroy())
    if (misbehaviour === 'error500 after') answered.resume().on('end', () => fail(response))
    else if (misbehaviour === 'cut after') cutInside(answered, response)
    else if (misbehaviour === 'halfJson') halve(answered, response)
    else {
      Object.assign(answered.headers, said)
      begin(answered, response)
      answered.pipe(response)
    }
  })
  incoming.pipe(outgoing)
}

function fail(response: ServerResponse): void {
  response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"the engine is unwell"}')
}

/** With the engine's own headers, and its way to tell where the body ends. */
function begin(answered: IncomingMessage, response: ServerResponse): void {
  const { headers } = answered
  const endsWithConnection = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
  if (endsWithConnection) response.useChunkedEncodingByDefault = false
  response.writeHead(answered.statusCode ?? 500, headers)
  response.flushHeaders()
}

/** In the middle of the first that comes; an answer without a body does not come at all. */
function cutInside(answered: IncomingMessage, response: ServerResponse): void {
  answered.once('data', (chunk: Buffer) => {
    begin(answered, response)
    response.write(chunk.subarray(0, chunk.length >> 1), () => response.socket?.destroy())
  })
  answered.once('end', () => response.socket?.destroy())
}

/** Half of all of it, or of the first that comes where it is to be read while it goes on. */
function halve(answered: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  const isEndless = /stream/.test(answered.headers['content-type'] ?? '') || /follow=true/.test(response.req.url ?? '')
  const finish = (): void => {
    if (response.headersSent) return
    const body = Buffer.concat(chunks)
    const half = body.subarray(0, body.length >> 1)
    const status = answered.statusCode ?? 500
    const { 'content-type': type = 'application/json', ...rest } = answered.headers
    for (const name of ['transfer-encoding', 'content-length', 'connection']) delete rest[name]
    if (status === 204 || status === 304) response.writeHead(status, rest).end()
    else response.writeHead(status, { ...rest, 'content-type': type, 'content-length': half.length }).end(half)
    if (isEndless) answered.destroy()
  }
  answered.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (isEndless) finish()
  })
  answered.once('end', finish)
}

/** A call that takes the connection over. */
async function handOver(
  enginePath: string,
  misbehaviour: Misbehaviour | undefined,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => {})
  if (misbehaviour === 'hang') return
  if (misbehaviour === 'cut') return void socket.destroy()
  const refusal = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
  if (misbehaviour === 'error500') return void socket.end(refusal)
  if (misbehaviour === 'slow') await sleep(SLOW_MS)
  const { method, url, headers } = incoming
  const length = Number(headers['content-length'] ?? 0)
  const outgoing = request({ socketPath: enginePath, method, path: url, headers, agent: false })
  socket.on('close', () => outgoing.destroy())
  outgoing.on('error', () => socket.destroy())
  outgoing.on('response', (answered) => {
    socket.end(`HTTP/1.1 ${answered.statusCode} refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    answered.destroy()
  })
  outgoing.on('upgrade', (answered, connection, first) => {
    connection.on('error', () => socket.destroy())
    if (misbehaviour === 'error500 after') return void socket.end(refusal)
    const lines = answered.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`))
    socket.write(`HTTP/1.1 101 UPGRADED\r\n${lines.join('')}\r\n`)
    if (first.length > 0) connection.unshift(first)
    if (head.length > length) socket.unshift(head.subarray(length))
    socket.pipe(connection)
    if (misbehaviour !== 'cut after' && misbehaviour !== 'halfJson') return void connection.pipe(socket)
    connection.once('data', (chunk: Buffer) =>
      socket.write(chunk.subarray(0, chunk.length >> 1), () => socket.destroy()),
    )
  })
  // The call's own body comes before the connection is handed over; Node 24 gives it with the one or the other.
  if (head.length >= length) outgoing.end(head.subarray(0, length))
  else incoming.pipe(outgoing)
}
