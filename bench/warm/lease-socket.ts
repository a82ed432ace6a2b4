import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Lease {
  readonly lease: string
  readonly environment: Readonly<Record<string, string>>
  readonly endpoints: Readonly<Record<string, { readonly host: string; readonly port: number }>>
}

/** A client of the lender, as one in any language is written: lines of JSON over its socket. */
export class LeaseSocket implements Disposable {
  readonly #socket: Socket
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    createInterface({ input: socket }).on('line', (line) => this.#settle(line))
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the lender has ended'))
    })
  }

  static open(path: string): Promise<LeaseSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new LeaseSocket(socket)))
      socket.once('error', reject)
    })
  }

  lease(server: string): Promise<Lease> {
    return this.#ask({ lease: server }) as Promise<Lease>
  }

  async release({ lease }: Lease): Promise<void> {
    await this.#ask({ release: lease })
  }

  /** Resolves once each of these servers has as many copies ready, or databases, as its pool has. */
  async untilFull(names: readonly string[]): Promise<void> {
    const isFull = (one?: { readonly ready: number; readonly size: number }): boolean =>
      one !== undefined && one.ready >= one.size
    for (;;) {
      const { servers } = (await this.#ask({ status: true })) as {
        servers: Record<string, Parameters<typeof isFull>[0]>
      }
      if (names.every((name) => isFull(servers[name]))) return
      await sleep(50)
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #ask(request: object): Promise<unknown> {
    const id = ++this.#lastId
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    this.#socket.write(`${JSON.stringify({ id, ...request })}\n`)
    return answer.promise
  }

  #settle(line: string): void {
    const { id, error, ...answer } = JSON.parse(line) as { id?: number; error?: { message: string } }
    const waiting = id === undefined ? undefined : this.#waiting.get(id)
    if (id === undefined || waiting === undefined) return
    this.#waiting.delete(id)
    if (error === undefined) waiting.resolve(answer)
    else waiting.reject(new Error(error.message))
  }
}

/** Opens a new connection to a Redis server, and resolves with an open socket once it has answered PING. */
export function pingRedis({ environment, endpoints }: Lease): Promise<Socket> {
  const endpoint = Object.values(endpoints)[0]
  if (endpoint === undefined) throw new Error('the lease has no endpoint')
  const url = Object.values(environment).find((value) => value.startsWith('redis'))
  const password = url === undefined ? '' : decodeURIComponent(new URL(url).password)
  const user = url === undefined ? '' : decodeURIComponent(new URL(url).username)
  const login = password === '' ? '' : `AUTH ${user} ${password}\r\n`.replace('  ', ' ')
  return new Promise((resolve, reject) => {
    const socket = connect(endpoint, () => socket.write(`${login}PING\r\n`))
    let text = ''
    socket.setNoDelay(true).setEncoding('latin1')
    socket.on('data', function look(more) {
      text += more
      if (text.startsWith('-') || text.includes('\n-')) reject(new Error(text))
      if (!text.includes('+PONG')) return
      socket.off('data', look)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}
