import { mkdtemp, rename, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A socket where an engine is expected, with something else behind it. */
export interface FalseEngine extends AsyncDisposable {
  /** As DOCKER_HOST takes it. */
  readonly url: string
  /** How often it was called. */
  readonly calls: number
}

/** What is done with each connection. */
export type Talk = (socket: Socket) => void

/** Takes the connection, and then says nothing. */
export const saysNothing: Talk = () => {}

/** Takes the connection, and closes it at once. */
export const closesAtOnce: Talk = (socket) => void socket.destroy()

/** Sends this text, whatever the request is, and closes. */
export function says(text: string): Talk {
  return (socket) => void socket.once('data', () => socket.end(text))
}

/** One HTTP answer. */
export function httpAnswer(status: string, headers: Readonly<Record<string, string>>, body: string): string {
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`
}

/** Answers the ping as an engine of this version does, and everything else with `rest`. */
export function speaksApi(version: string, rest: string): Talk {
  const ping = httpAnswer('200 OK', { 'api-version': version, ostype: 'linux' }, 'OK')
  return (socket) =>
    void socket.once('data', (request) => socket.end(String(request).startsWith('GET /_ping ') ? ping : rest))
}

export async function openFalseEngine(talk: Talk): Promise<FalseEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-socket-'))
  const path = join(folder, 'engine.sock')
  const sockets = new Set<Socket>()
  let calls = 0
  const server = createServer((socket) => {
    calls++
    sockets.add(socket)
    // The command goes away in the middle of the talk: that is what is tested.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    talk(socket)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    url: `unix://${path}`,
    get calls() {
      return calls
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true })
    },
  }
}

/** A socket's file whose listener is dead: connections are refused. */
export async function leaveDeadSocket(folder: string): Promise<string> {
  const path = join(folder, 'dead.sock')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(`${path}.alive`, resolve))
  // Closing removes the file under the name that it was opened with.
  await rename(`${path}.alive`, path)
  await new Promise((resolve) => server.close(resolve))
  return path
}

/** A TCP port of the loopback at which nothing listens. */
export async function findClosedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('it has no port')
  return address.port
}
