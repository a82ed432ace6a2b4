import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Endpoint } from '../model/running.ts'
import { followRoute, type Routes } from './route.ts'

/** An HTTP proxy on loopback, for one command. */
export interface NameProxy {
  /** URL with a password, so that other users of the machine cannot use the proxy. */
  readonly url: string
  close(): void
}

/** Hop-by-hop headers, which are not forwarded (RFC 9110, 7.6.1). */
const ofTheHop = ['connection', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'transfer-encoding']

/** Opens a proxy that connects the fleet's names to their servers, and all other names as usual. */
export async function openProxy(routes: Routes, signal: AbortSignal): Promise<NameProxy> {
  const password = randomBytes(16).toString('hex')
  const expected = Buffer.from(`Basic ${Buffer.from(`testfleet:${password}`).toString('base64')}`)
  const isKnown = ({ headers }: IncomingMessage): boolean => {
    const given = Buffer.from(headers['proxy-authorization'] ?? '')
    return given.length === expected.length && timingSafeEqual(given, expected)
  }
  const open = new Set<Duplex>()
  const server = createServer((incoming, answer) => {
    if (!isKnown(incoming)) answer.writeHead(407, { 'proxy-authenticate': 'Basic realm="testfleet"' }).end()
    else forward(incoming, answer, routes)
  })
  server.on('connect', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    if (isKnown(incoming)) tunnel(incoming.url ?? '', client, head, routes, open)
    else client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="testfleet"\r\n\r\n')
  })
  server.on('connection', (socket: Socket) => track(socket, open))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening', { signal })
  return {
    url: `http://testfleet:${password}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

function track(socket: Duplex, open: Set<Duplex>): void {
  open.add(socket)
  socket.once('close', () => open.delete(socket)).on('error', () => socket.destroy())
}

/** Handles CONNECT: forwards all bytes in both directions. */
function tunnel(authority: string, client: Duplex, head: Buffer, routes: Routes, open: Set<Duplex>): void {
  const target = findTarget(`connect://${authority}`, undefined, routes)
  if (typeof target === 'string') return void client.end(`HTTP/1.1 502 Bad Gateway\r\n\r\n${target}\n`)
  const server = connect(target)
  track(server, open)
  server.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    server.write(head)
    client.pipe(server).pipe(client)
  })
  server.once('error', ({ message }) => client.end(`HTTP/1.1 502 Bad Gateway\r\n\r\n${message}\n`))
  client.once('close', () => server.destroy())
}

/** Handles a request with a whole URL, as a proxy gets it for plain HTTP. */
function forward(incoming: IncomingMessage, answer: ServerResponse, routes: Routes): void {
  const refuse = (why: string): void => {
    if (answer.headersSent) answer.destroy()
    else answer.writeHead(502, { 'content-type': 'text/plain' }).end(`${why}\n`)
  }
  const target = findTarget(incoming.url ?? '', 'http:', routes)
  if (typeof target === 'string') {
    refuse(target)
    return
  }
  const { pathname, search } = new URL(incoming.url ?? '')
  const outgoing = request({
    ...target,
    method: incoming.method,
    path: pathname + search,
    headers: withoutHop(incoming),
    setHost: false,
    agent: false,
  })
  outgoing.once('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.statusMessage, withoutHop(response))
    response.pipe(answer).once('close', () => response.destroy())
  })
  outgoing.once('error', ({ message }) => refuse(message))
  incoming.pipe(outgoing)
  answer.once('close', () => outgoing.destroy())
}

/** Returns names and values in turn, because order and repetition of headers can matter. */
function withoutHop({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
  const left = new Set([...ofTheHop, ...named])
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && !left.has(name.toLowerCase()) ? [name, rawHeaders[index + 1] ?? ''] : [],
  )
}

/** Returns the address of the target, or the reason why there is none. */
function findTarget(text: string, protocol: string | undefined, routes: Routes): Endpoint | string {
  const url = URL.parse(text)
  if (url === null || url.hostname === '' || (protocol !== undefined && url.protocol !== protocol))
    return `this proxy cannot be asked for ${JSON.stringify(text)}`
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? 80 : Number(url.port)
  return followRoute(routes, host, port) ?? `${host} publishes no port ${port}; \`ports\` of the fleet file can`
}
