import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NameProxy, openProxy } from './proxy.ts'

/** Echoes the request. */
const web = createServer(async (incoming, answer) => {
  answer.writeHead(418, { 'x-seen': JSON.stringify(incoming.rawHeaders), connection: 'close, x-hop', 'x-hop': 'mine' })
  answer.end(`${incoming.method} ${incoming.url} ${await text(incoming)}`)
})
const echo = createTcpServer((socket) => void socket.pipe(socket).on('error', () => {}))
let proxy: NameProxy
let url: URL

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

beforeAll(async () => {
  for (const server of [web, echo]) await once(server.listen(0, '127.0.0.1'), 'listening')
  const ports = {
    80: { host: '127.0.0.1', port: portOf(web) },
    7: { host: '127.0.0.1', port: portOf(echo) },
  }
  proxy = await openProxy({ 'web.fleet.test': { ports } }, new AbortController().signal)
  url = new URL(proxy.url)
})
afterAll(async () => {
  proxy.close()
  for (const socket of sockets) socket.destroy()
  await Promise.all([web, echo].map((server) => once(server.close(), 'close')))
})

const sockets: Duplex[] = []

function options(more: RequestOptions, auth: string): RequestOptions {
  const headers = auth === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(auth).toString('base64')}` }
  const { hostname: host, port } = url
  return { host, port, agent: false, ...more, headers: { ...headers, ...(more.headers as object) } }
}

const own = (): string => `${url.username}:${url.password}`

async function ask(more: RequestOptions, body = '', auth = own()) {
  const [answer] = (await once(request(options(more, auth)).end(body), 'response')) as [IncomingMessage]
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) }
}

async function connect(path: string, auth = own()) {
  const asked = request(options({ method: 'CONNECT', path }, auth)).end()
  const [answer, socket] = (await once(asked, 'connect')) as [IncomingMessage, Duplex]
  sockets.push(socket)
  return { status: answer.statusCode, socket }
}

describe("a command's proxy", () => {
  test('forwards requests to a server by its name, and keeps them unchanged', async () => {
    const headers = { host: 'web.fleet.test', 'x-mine': 'a', connection: 'close, x-hop', 'x-hop': 'b' }
    const {
      status,
      headers: got,
      body,
    } = await ask({ method: 'POST', path: 'http://Web.Fleet.test/path?a=b%20c', headers }, 'body')
    expect(status).toBe(418)
    expect(body).toBe('POST /path?a=b%20c body')
    expect(got['x-hop']).toBeUndefined()
    const seen = JSON.parse(String(got['x-seen'])) as string[]
    expect(seen).toContain('x-mine')
    expect(seen).not.toContain('x-hop')
    expect(seen).not.toContain('proxy-authorization')
  })

  test('forwards other requests as usual', async () => {
    expect(await ask({ path: `http://127.0.0.1:${portOf(web)}/` })).toMatchObject({ status: 418, body: 'GET / ' })
  })

  test.each(['web.fleet.test:7', 'own'])('tunnels to %s', async (target) => {
    const { status, socket } = await connect(target === 'own' ? `127.0.0.1:${portOf(echo)}` : target)
    expect(status).toBe(200)
    socket.end('there and back')
    expect(await text(socket)).toBe('there and back')
  })

  test('reports a port that is not published', async () => {
    expect(await ask({ path: 'http://web.fleet.test:81/' })).toMatchObject({
      status: 502,
      body: 'web.fleet.test publishes no port 81; `ports` of the fleet file can\n',
    })
    expect((await connect('web.fleet.test:81')).status).toBe(502)
    expect(await ask({ path: '/no/url' })).toMatchObject({ status: 502 })
    expect(await ask({ path: 'ftp://web.fleet.test/' })).toMatchObject({ status: 502 })
  })

  test('serves only its own command', async () => {
    for (const auth of ['', 'testfleet:guess', 'testfleet:']) {
      expect(await ask({ path: 'http://web.fleet.test/' }, '', auth)).toMatchObject({ status: 407 })
      expect((await connect('web.fleet.test:7', auth)).status).toBe(407)
    }
  })

  test('closes its connections when it ends', async () => {
    const other = await openProxy({}, new AbortController().signal)
    const { port, username, password } = new URL(other.url)
    const asked = request({
      host: '127.0.0.1',
      port,
      method: 'CONNECT',
      path: `127.0.0.1:${portOf(echo)}`,
      headers: { 'proxy-authorization': `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    }).end()
    const [, socket] = (await once(asked, 'connect')) as [IncomingMessage, Duplex]
    socket.on('error', () => {}).resume()
    const closed = once(socket, 'close')
    other.close()
    await closed
  })
})
