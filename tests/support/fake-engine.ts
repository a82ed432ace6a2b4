import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSocketServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDocker } from '../../src/engine/docker/connect.ts'
import { locateEngine } from '../../src/engine/docker/locate.ts'
import type { Engine } from '../../src/engine/engine.ts'

/** For unit tests: something on a real socket that answers, or does not, as a test wants it to. */
export interface FakeEngine extends AsyncDisposable {
  readonly engine: Engine
  /** The requests that came, such as `GET /_ping`. */
  readonly requests: readonly string[]
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Answers the ping as Docker 20.10 does, and everything else as told. */
export function fakeDocker(answer: Answer, ping: Record<string, string> = {}): Promise<FakeEngine> {
  return fakeHttp((request, response) => {
    if (request.url !== '/_ping') return answer(request, response)
    response.writeHead(200, { 'Api-Version': '1.41', Ostype: 'linux', ...ping }).end('OK')
  })
}

export function fakeHttp(listener: RequestListener): Promise<FakeEngine> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  return listen(server, requests)
}

/** Speaks no HTTP by itself. */
export function fakeSocket(onConnection: (socket: Socket) => void): Promise<FakeEngine> {
  return listen(createSocketServer(onConnection), [])
}

async function listen(server: Server, requests: string[]): Promise<FakeEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-engine-'))
  const socketPath = join(folder, 'engine.sock')
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(socketPath)
  await once(server, 'listening')
  const engine = await engineAt(`unix://${socketPath}`, folder)
  return {
    engine,
    requests,
    async [Symbol.asyncDispose]() {
      engine.close()
      for (const socket of sockets) socket.destroy()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** An engine that is only named; its home folder has no configuration unless given. */
export async function engineAt(url: string, home: string, environment: Record<string, string> = {}): Promise<Engine> {
  const location = await locateEngine({ engine: url, environment, home, platform: 'linux' })
  return connectDocker(location, { environment, home })
}
