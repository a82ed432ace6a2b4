import { createConnection, createServer, type Socket } from 'node:net'
import { withEngine } from './command.ts'

/** The real engine, at a TCP port of this machine's loopback as long as the test needs it. */
export interface EngineRelay extends AsyncDisposable {
  readonly port: number
}

export async function openEngineRelay(): Promise<EngineRelay> {
  const enginePath = await withEngine(async ({ location }) => new URL(location.url).pathname)
  const sockets = new Set<Socket>()
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket)
    socket
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
  }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const engine = createConnection({ path: enginePath, allowHalfOpen: true })
    keep(socket, engine)
    keep(engine, socket)
    socket.pipe(engine).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens at a port')
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
